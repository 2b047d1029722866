/// The class ids of a chunk of views that score all classes in class order: the same in each such chunk, so that
/// none has to be decoded (spec, section 4.10).
///
/// Callable from any thread: the memory never changes.
final class AllClassIDs: @unchecked Sendable {
  // Unchecked: written before anybody else has it.
  private let memory: UnsafeMutableRawBufferPointer

  /// Nil for a shard whose ids have to be read.
  init?(_ header: ShardHeader, rowsPerChunk: Int) {
    let hasAll = header.views != nil && header.shape.topK == header.numClasses
    guard hasAll || header.hasFactors, header.cellOrder == .class else { return nil }
    let size = header.classIndexType.size
    memory = .allocate(byteCount: rowsPerChunk * header.shape.entries * size, alignment: 64)
    for entry in 0..<rowsPerChunk * header.shape.entries {
      let id = entry % header.shape.topK
      if size == 2 {
        memory.storeBytes(of: UInt16(id).littleEndian, toByteOffset: 2 * entry, as: UInt16.self)
      } else {
        memory.storeBytes(of: UInt32(id).littleEndian, toByteOffset: 4 * entry, as: UInt32.self)
      }
    }
  }

  deinit { memory.deallocate() }

  /// The ids of all rows of a chunk; valid as long as this object.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }
}
