import Relabel

extension TorchFile {
  /// 0x1950a86a20f9469cfc6c, little-endian.
  private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

  /// True for the first bytes of such a file: a pickle of protocol 2 that is the number above.
  static func beginsLegacy(_ head: [UInt8]) -> Bool {
    head.starts(with: [0x80, 0x02, 0x8A, 0x0A] + magic)
  }

  /// The container of torch before 1.6: five pickles, then the storage.
  static func legacy(_ file: [UInt8]) throws(RelabelError) -> TorchContents<StoredTensor> {
    var position = 0
    func pickle() throws(RelabelError) -> PickleValue {
      let (value, end) = try TorchPickle.read(file, at: position)
      position = end
      return value
    }

    guard try pickle() == .bigInteger(magic) else {
      throw RelabelError(.invalidInput, "this is a pickle, but not a file written by torch.save")
    }
    guard try pickle() == .int(1001) else {
      throw RelabelError(.invalidInput, "the torch.save protocol is not 1001")
    }
    guard case .dictionary(let system) = try pickle() else {
      throw RelabelError(.invalidInput, "the file lacks torch.save's system information")
    }
    for place in stride(from: 0, to: system.count - 1, by: 2)
    where system[place] == .string("little_endian") && system[place + 1] != .bool(true) {
      throw RelabelError(.invalidInput, "the file is not little-endian; save it on such a machine")
    }
    let contents = try pickle().contents()
    let storages = contents.storages
    guard case .list(let keys) = try pickle(), Set(keys) == Set(storages.keys.map { .string($0) }),
      keys.count == storages.count
    else {
      throw RelabelError(.invalidInput, "the file has storages that its tensor doesn't use")
    }

    var cursor = ByteCursor(file, from: position, subject: "the tensor's storage")
    var starts: [String: Int] = [:]
    for case .string(let key) in keys {
      guard let storage = storages[key] else { continue }
      starts[key] = try start(of: storage, &cursor)
    }
    guard cursor.remaining == 0 else {
      throw RelabelError(.invalidInput, "\(cursor.remaining) trailing bytes follow the tensor")
    }
    return try contents.map { tensor throws(RelabelError) in
      guard let start = starts[tensor.storage.key] else {
        throw RelabelError(.internalFault, "a storage that was read is not there")
      }
      return try StoredTensor(tensor: tensor, bytes: file, start: start)
    }
  }

  /// Where the elements of the storage at hand begin.
  private static func start(
    of storage: TorchTensor.Storage,
    _ cursor: inout ByteCursor
  ) throws(RelabelError) -> Int {
    let count = try cursor.signed(8)
    guard count == storage.count else {
      throw RelabelError(
        .invalidInput,
        "the storage has \(count) elements, its description says \(storage.count)"
      )
    }
    guard let bytes = checkedProduct(count, storage.scalar.width) else {
      throw RelabelError(.invalidInput, "the storage's size \(count) overflows")
    }
    return try cursor.take(bytes).lowerBound
  }
}

extension TorchContents<TorchTensor> {
  /// The storages that the tensors are views of, by their keys.
  fileprivate var storages: [String: TorchTensor.Storage] {
    switch self {
    case .stacked(let tensor): [tensor.storage.key: tensor.storage]
    case .pair(let scores, let ids):
      [scores.storage.key: scores.storage].merging([ids.storage.key: ids.storage]) { one, _ in one }
    }
  }
}
