// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core;

import io.netty.buffer.ByteBuf;
import io.tailrace.core.wire.ResultException;
import io.tailrace.core.wire.ResultId;
import org.jspecify.annotations.Nullable;

/**
 * What a reader's decoder told last: at most one frame's worth, as it is stepped frame by frame.
 *
 * <p><b>Ownership.</b> Payload and trailer are this object's until they are taken or released.
 */
final class ReaderEvents implements ResultListener {
    boolean open;

    @Nullable
    ResultId id;

    String codecId = "";

    @Nullable
    ByteBuf payload;

    @Nullable
    ByteBuf trailer;

    @Nullable
    ResultSummary summary;

    @Nullable
    ResultException failure;

    @Override
    public void onOpen(ResultId result, String codec) {
        forget();
        open = true;
        id = result;
        codecId = codec;
    }

    @Override
    public void onPayload(ByteBuf bytes) {
        payload = bytes.retain();
    }

    @Override
    public void onTrailer(ByteBuf bytes) {
        trailer = bytes.retain();
    }

    @Override
    public void onEnd(ResultSummary ended) {
        open = false;
        summary = ended;
    }

    @Override
    public void onFailure(@Nullable ResultId result, ResultException reason) {
        open = false;
        failure = reason;
    }

    void forget() {
        open = false;
        id = null;
        summary = null;
        failure = null;
    }

    void throwFailure() throws ResultException {
        if (failure != null) {
            throw failure;
        }
    }

    @Nullable
    ByteBuf takePayload() {
        ByteBuf taken = payload;
        payload = null;
        return taken;
    }

    @Nullable
    ByteBuf takeTrailer() {
        ByteBuf taken = trailer;
        trailer = null;
        return taken;
    }

    void releaseBuffers() {
        release(takePayload());
        release(takeTrailer());
    }

    static void release(@Nullable ByteBuf buffer) {
        if (buffer != null) {
            buffer.release();
        }
    }
}
