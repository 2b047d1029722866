internal import CDeflate
import Synchronization

/// zlib streams through libdeflate (spec, "Filters").
package enum Deflate {
  /// Compresses some bytes to a zlib stream.
  ///
  /// Callable from any thread.
  /// - Parameters:
  ///   - bytes: what to compress.
  ///   - level: 1 to 12.
  /// - Returns: the stream.
  package static func compressed(_ bytes: [UInt8], level: Int) -> [UInt8] {
    let compressor = Pool.take(level: level)
    defer { Pool.give(compressor, level: level) }
    let bound = libdeflate_zlib_compress_bound(compressor.pointer, bytes.count)
    return [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      count = libdeflate_zlib_compress(
        compressor.pointer,
        bytes,
        bytes.count,
        buffer.baseAddress,
        buffer.count
      )
    }
  }

  /// What a zlib stream of unknown length holds, or nil where it is damaged or holds more than `limit` bytes.
  ///
  /// Memory grows with what is really there, no further than twice the limit.
  package static func inflated(_ stream: [UInt8], limit: Int) -> [UInt8]? {
    guard let pointer = libdeflate_alloc_decompressor() else { return nil }
    defer { libdeflate_free_decompressor(pointer) }
    var room = min(max(stream.count, 1 << 10), limit)
    while true {
      room = min(room * 4, limit)
      var (consumed, status) = (0, LIBDEFLATE_BAD_DATA)
      let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
        status = libdeflate_zlib_decompress_ex(
          pointer,
          stream,
          stream.count,
          buffer.baseAddress,
          buffer.count,
          &consumed,
          &filled
        )
        if status != LIBDEFLATE_SUCCESS { filled = 0 }
      }
      // Bytes behind the stream would be unseen by every other check.
      if status == LIBDEFLATE_SUCCESS { return consumed == stream.count ? bytes : nil }
      guard status == LIBDEFLATE_INSUFFICIENT_SPACE, room < limit else { return nil }
    }
  }

  /// Inflates zlib streams; for one thread at a time.
  ///
  /// Not from a pool: its lock could be held by another thread while a training program forks.
  final class Decompressor {
    private let pointer = libdeflate_alloc_decompressor()

    deinit { libdeflate_free_decompressor(pointer) }

    /// Fills `room` with what a zlib stream holds; false when it does not hold exactly as much.
    func inflate(_ stream: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer) -> Bool
    {
      guard let pointer else { return false }
      var consumed = 0
      let status = libdeflate_zlib_decompress_ex(
        pointer,
        stream.baseAddress,
        stream.count,
        room.baseAddress,
        room.count,
        &consumed,
        nil
      )
      // Bytes behind the stream would be unseen by every other check.
      return status == LIBDEFLATE_SUCCESS && consumed == stream.count
    }
  }
}

/// Compressors between uses; each serves one thread at a time.
private enum Pool {
  struct Compressor: @unchecked Sendable {
    // Unchecked: in the pool, or with the one thread that took it.
    let pointer: OpaquePointer
    /// The thread that used it last.
    var user: UInt = 0
  }

  /// Idle compressors by level.
  private static let idle = Mutex<[Int: [Compressor]]>([:])

  static func take(level: Int) -> Compressor {
    let thread = Parallel.thread
    let known = idle.withLock { idle -> Compressor? in
      guard var some = idle[level], !some.isEmpty else { return nil }
      // Its tables fill a core's cache: those that another thread used last would have to move.
      let place = some.lastIndex { $0.user == thread } ?? some.count - 1
      let compressor = some.remove(at: place)
      idle[level] = some
      return compressor
    }
    if let known { return known }
    guard let pointer = libdeflate_alloc_compressor(Int32(level)) else {
      preconditionFailure("out of memory for a deflate stream")
    }
    return Compressor(pointer: pointer)
  }

  static func give(_ compressor: Compressor, level: Int) {
    var compressor = compressor
    compressor.user = Parallel.thread
    idle.withLock { $0[level, default: []].append(compressor) }
  }
}
