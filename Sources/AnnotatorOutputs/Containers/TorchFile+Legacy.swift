import Relabel

extension TorchFile {
  /// 0x1950a86a20f9469cfc6c, little-endian.
  private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

  /// The container of torch before 1.6: five pickles, then the storage.
  static func legacy(_ file: [UInt8]) throws(RelabelError) -> TorchFile {
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
    let tensor = try pickle().wholeTensor()
    guard try pickle() == .list([.string(tensor.storage.key)]) else {
      throw RelabelError(.invalidInput, "the file has storages that its tensor doesn't use")
    }

    var cursor = ByteCursor(file, from: position, subject: "the tensor's storage")
    let count = try cursor.signed(8)
    guard count == tensor.storage.count else {
      throw RelabelError(
        .invalidInput,
        "the storage has \(count) elements, its description says \(tensor.storage.count)"
      )
    }
    guard let bytes = checkedProduct(count, tensor.storage.scalar.width) else {
      throw RelabelError(.invalidInput, "the storage's size \(count) overflows")
    }
    let start = try cursor.take(bytes).lowerBound
    guard cursor.remaining == 0 else {
      throw RelabelError(.invalidInput, "\(cursor.remaining) trailing bytes follow the tensor")
    }
    return try TorchFile(tensor: tensor, bytes: file, start: start)
  }
}
