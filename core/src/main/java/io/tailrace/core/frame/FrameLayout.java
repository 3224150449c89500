// SPDX-License-Identifier: Apache-2.0
package io.tailrace.core.frame;

/**
 * Every size and flag of FRAME_FORMAT.md, version 1.1, and every offset but those of fields that are read and written one
 * after another; no behaviour. All integers are little-endian.
 *
 * <pre>
 *  Frame header
 *   0               1               2               3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *  +---------------+---------------+---------------+---------------+
 *  |     kind      |must understand|   ignorable   |  reserved: 0  |  0
 *  +---------------+---------------+---------------+---------------+
 *  |                           sequence                            |  4
 *  +---------------------------------------------------------------+
 *  |                                                               |  8
 *  |                           stream id                           |
 *  |                                                               |
 *  +---------------------------------------------------------------+
 *  |                          wire length                          | 16
 *  +---------------------------------------------------------------+
 *  |                          raw length                           | 20
 *  +---------------------------------------------------------------+
 *  |              CRC32C of the body's bytes on the wire           | 24
 *  +---------------------------------------------------------------+
 *  |              CRC32C of header bytes 0 … 27                    | 28
 *  +---------------------------------------------------------------+
 * </pre>
 */
public final class FrameLayout {

    // Preamble
    public static final int PREAMBLE_LENGTH = 16;
    public static final long MAGIC = 0x1A0A_0D52_4C52_5489L;
    public static final int MAJOR_VERSION = 1;
    /** Of files and plain connections; they hold nothing that 1.0 did not have. */
    public static final int MINOR_VERSION = 0;

    /** Of multiplexed connections. */
    public static final int MULTIPLEXED_MINOR_VERSION = 1;

    static final int PREAMBLE_MAJOR_OFFSET = 8;
    static final int PREAMBLE_MINOR_OFFSET = 9;
    static final int PREAMBLE_PURPOSE_OFFSET = 10;
    static final int PREAMBLE_RESERVED_OFFSET = 11;
    static final int PREAMBLE_CRC_OFFSET = 12;

    // Header
    public static final int HEADER_LENGTH = 32;
    static final int KIND_OFFSET = 0;
    static final int MUST_UNDERSTAND_OFFSET = 1;
    static final int IGNORABLE_OFFSET = 2;
    static final int RESERVED_OFFSET = 3;
    static final int SEQUENCE_OFFSET = 4;
    static final int STREAM_ID_OFFSET = 8;
    static final int WIRE_LENGTH_OFFSET = 16;
    static final int RAW_LENGTH_OFFSET = 20;
    static final int BODY_CRC_OFFSET = 24;
    static final int HEADER_CRC_OFFSET = 28;

    // Must-understand flags
    public static final int COMPRESSED = 0x01;
    static final int KNOWN_MUST_UNDERSTAND = COMPRESSED;

    // Sizes
    public static final int MIN_CHUNK_SIZE = 512;
    public static final int MAX_CHUNK_SIZE = 16 << 20;
    public static final int MAX_SEQUENCE = Integer.MAX_VALUE;

    // OPEN body
    public static final int MAX_OPEN_LENGTH = MIN_CHUNK_SIZE - HEADER_LENGTH;
    static final int OPEN_CHUNK_SIZE_OFFSET = 0;
    static final int OPEN_RESERVED_OFFSET = 6;
    static final int OPEN_TEXTS_OFFSET = 28;
    public static final int MAX_CODEC_ID_LENGTH = 64;
    public static final int MAX_JOB_LENGTH = 255;
    static final int OPEN_DECLARED_LENGTH = 8;

    // END body
    public static final int END_LENGTH = 40;
    static final int END_PAYLOAD_RAW_OFFSET = 0;
    static final int END_PAYLOAD_WIRE_OFFSET = 8;
    static final int END_TRAILER_RAW_OFFSET = 16;
    static final int END_FRAMES_OFFSET = 24;
    static final int END_DIGEST_OFFSET = 32;
    static final int END_RESERVED_OFFSET = 36;

    /** Kept free at the tail of every chunk that is written, so that the end frame never needs another. */
    public static final int END_ROOM = HEADER_LENGTH + END_LENGTH;

    // FAILURE body
    static final int FAILURE_RESERVED_OFFSET = 2;
    static final int FAILURE_TEXTS_OFFSET = 20;
    static final int FAILURE_RETRIABLE = 0x01;
    public static final int MAX_FAILURE_FRAME = 8 << 10;
    static final int MAX_CLASS_NAME_LENGTH = 255;
    static final int MAX_FAILURE_TEXT_LENGTH = 2_048;
    static final int MAX_STACK_LENGTH = 4_096;

    // Frames of the connection itself
    public static final int MAX_FRAME = 4 << 10;
    static final int MAX_CONTROL_LENGTH = MAX_FRAME - HEADER_LENGTH;

    // HELLO body
    static final int HELLO_CLIENT = 1;
    static final int HELLO_SERVER = 2;
    static final int HELLO_PROVES = 0x01;
    static final int HELLO_FLAGS_OFFSET = 1;
    static final int HELLO_RESERVED_OFFSET = 2;
    static final int HELLO_CHUNK_OFFSET = 4;
    static final int HELLO_CREDIT_OFFSET = 8;
    static final int HELLO_HEARTBEAT_OFFSET = 16;
    static final int HELLO_RESERVED_AGAIN_OFFSET = 20;
    static final int HELLO_NAME_OFFSET = 56;
    public static final int NONCE_LENGTH = 32;
    public static final int MAX_NAME_LENGTH = 255;

    // CREDIT body
    static final int CREDIT_ENTRY_LENGTH = 16;
    public static final int MAX_CREDITS = MAX_CONTROL_LENGTH / CREDIT_ENTRY_LENGTH;

    // PING and PONG bodies
    static final int TOKEN_LENGTH = 8;

    // PROOF body
    public static final int PROOF_LENGTH = 32;

    // BACKLOG body
    static final int BACKLOG_LENGTH = 24;
    static final int BACKLOG_WAITING_OFFSET = 8;
    static final int BACKLOG_FLAGS_OFFSET = 16;
    static final int BACKLOG_OWN = 0x01;

    // FATE body
    static final int FATE_REASON_OFFSET = 2;
    static final int FATE_RETRIABLE = 0x01;
    public static final int MAX_FATE_REASON_LENGTH = 2_048;
    public static final int MAX_FATES = 250;

    // BYE body
    static final int BYE_TEXT_OFFSET = 1;
    public static final int MAX_BYE_TEXT_LENGTH = 255;

    // Digest: one record a frame
    static final int DIGEST_RECORD_LENGTH = 16;

    private FrameLayout() {}
}
