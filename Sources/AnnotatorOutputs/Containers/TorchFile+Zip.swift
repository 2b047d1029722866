import Relabel

extension TorchFile {
  /// The zip container, of torch 1.6 and later: `NAME/data.pkl`, `NAME/data/KEY`, `NAME/byteorder`.
  static func zip(_ file: [UInt8]) throws(RelabelError) -> TorchContents<StoredTensor> {
    let members = try members(of: file)
    guard let pickle = members["data.pkl"] else {
      throw RelabelError(.invalidInput, "the zip file has no data.pkl: torch.save did not write it")
    }
    guard pickle.count <= Limits.headerBytes else {
      throw RelabelError(.unsafeInput, "the pickle has \(pickle.count) bytes; no tensor's does")
    }
    if let order = members["byteorder"], order != Array("little".utf8) {
      throw RelabelError(.invalidInput, "the file is not little-endian; save it on such a machine")
    }
    let (value, end) = try TorchPickle.read(pickle)
    guard end == pickle.count else {
      throw RelabelError(.invalidInput, "the pickle has \(pickle.count - end) trailing bytes")
    }
    return try value.contents().map { tensor throws(RelabelError) in
      guard let bytes = members["data/" + tensor.storage.key] else {
        throw RelabelError(.invalidInput, "the zip file lacks the tensor's storage")
      }
      return try StoredTensor(tensor: tensor, bytes: bytes, start: 0)
    }
  }

  /// The contents of every member, below the archive's only folder; all checksums are checked.
  private static func members(of file: [UInt8]) throws(RelabelError) -> [String: [UInt8]] {
    var members: [String: [UInt8]] = [:]
    var folder: [UInt8]?
    var total = 0
    try file.withUnsafeBufferPointer { (buffer) throws(RelabelError) in
      let reader = try ArchiveReader(zip: UnsafeRawBufferPointer(buffer))
      while let member = try reader.next() {
        guard let slash = member.name.firstIndex(of: UInt8(ascii: "/")), member.kind == .regular,
          folder == nil || folder == Array(member.name[..<slash])
        else {
          throw RelabelError(.invalidInput, "the zip file is not laid out as torch.save does")
        }
        folder = Array(member.name[..<slash])
        try checkRatio(declared: member.size, of: file.count)
        let bytes = try reader.contents(of: member, limit: Limits.memberBytes - total)
        total += bytes.count
        let name = String(decoding: member.name[(slash + 1)...], as: UTF8.self)
        guard members.updateValue(bytes, forKey: name) == nil, members.count <= 64 else {
          throw RelabelError(.invalidInput, "the zip file has members that no tensor needs")
        }
      }
    }
    return members
  }
}

/// Refuses a zip member that is large and compressed more than real data ever is.
func checkRatio(declared: Int?, of compressed: Int) throws(RelabelError) {
  guard let declared, declared > 64 << 20, declared / 1000 > compressed else { return }
  throw RelabelError(
    .unsafeInput,
    "a zip bomb: \(compressed) bytes that declare \(declared) uncompressed ones"
  )
}
