// SPDX-License-Identifier: Apache-2.0

/**
 * Where sealed frames go: {@link io.tailrace.core.sink.FrameSink}, and ready ones for channels, files, streams, memory
 * and Netty. Reading needs no port of ours: any {@link java.nio.channels.ReadableByteChannel} is a source, and
 * {@link io.tailrace.core.sink.NettySource} makes one of a Netty channel.
 */
@NullMarked
package io.tailrace.core.sink;

import org.jspecify.annotations.NullMarked;
