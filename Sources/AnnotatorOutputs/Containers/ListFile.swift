import Relabel

/// A file of `torch.save`, `pickle` or joblib that holds lists of tensors, arrays and plain values.
///
/// The pickle is read at once, tensors as they are asked for, front to back: a file of all batches of an epoch has
/// hundreds of megabytes, of which no more than a batch stays in memory.
final class ListFile {
  /// What the file is.
  enum Container: String { case torch, joblib, pickle }

  /// The most bytes of a file that is read as a whole.
  private static let wholeBytes = 32 << 20
  /// The most bytes of tensors that wait for being asked for.
  private static let waitingBytes = 80 << 20

  let container: Container
  /// The value of the pickle.
  let value: ListValue
  let bytes: Int

  private let file: OpenFile?
  private var reader: ArchiveReader?
  private var folder: [UInt8] = []
  /// Storages by their keys that were read and are still needed.
  private var storages: [String: [UInt8]] = [:]
  private var waiting = 0
  /// How many tensors of the pickle lie in each storage and have not been asked for.
  private var uses: [String: Int] = [:]

  /// Opens a file and reads its pickle.
  ///
  /// - Throws: `.invalidInput` or `.unsafeInput` for a file that is none of these or damaged, `.io`.
  init(_ path: String) throws(RelabelError) {
    let file = try OpenFile(reading: path)
    bytes = file.size
    let head = try file.read(at: 0, count: min(file.size, 64))
    if head.starts(with: [0x50, 0x4B]) {
      self.file = file
      container = .torch
      let reader = try ArchiveReader(zip: file.descriptor)
      (value, folder) = try Self.pickle(reader, file.size)
      self.reader = reader
      Self.count(value, &uses)
      return
    }
    (self.file, reader) = (nil, nil)
    guard file.size <= Self.wholeBytes else {
      throw RelabelError(
        .unsafeInput,
        "the file has \(file.size) bytes; \(Self.wholeBytes) are read of such files"
      )
    }
    let bytes = try file.read(at: 0, count: file.size)
    if head.first == 0x80 {
      container = .pickle
      value = try Self.whole(bytes)
    } else if Inflating.begins(head) {
      container = .joblib
      value = try Self.whole(Inflating.inflated(bytes, limit: Self.wholeBytes))
    } else if GitLFSPointer.begins(head) {
      throw RelabelError(.invalidInput, GitLFSPointer.fault)
    } else {
      throw RelabelError(.invalidInput, "this is not a file of torch.save, pickle or joblib")
    }
  }

  private static func whole(_ bytes: [UInt8]) throws(RelabelError) -> ListValue {
    let (value, end) = try LabelPickle.read(bytes)
    guard end == bytes.count else {
      if case .bigInteger = value {
        throw RelabelError(
          .invalidInput,
          "the file has the form of torch before 1.6; load it and save it again with torch.save"
        )
      }
      throw RelabelError(.invalidInput, "\(bytes.count - end) trailing bytes follow the pickle")
    }
    return value
  }

  /// The pickle, which torch writes first, and the folder that all members lie in.
  private static func pickle(
    _ reader: ArchiveReader,
    _ fileBytes: Int
  ) throws(RelabelError) -> (ListValue, [UInt8]) {
    guard let member = try reader.next(), member.kind == .regular,
      let slash = member.name.firstIndex(of: UInt8(ascii: "/")),
      member.name[(slash + 1)...].elementsEqual("data.pkl".utf8)
    else {
      throw RelabelError(
        .invalidInput,
        "the zip file does not begin with data.pkl: torch.save did not write it"
      )
    }
    try checkRatio(declared: member.size, of: fileBytes)
    let bytes = try reader.contents(of: member, limit: LabelPickle.maximumBytes)
    return (try whole(bytes), Array(member.name[...slash]))
  }

  /// Counts the tensors in each storage.
  private static func count(_ value: ListValue, _ uses: inout [String: Int]) {
    switch value {
    case .tuple(let items), .list(let items), .dictionary(let items):
      for item in items { count(item, &uses) }
    case .tensor(let tensor): uses[tensor.storage.key, default: 0] += 1
    default: break
    }
  }

  /// The numbers of a tensor or array of the pickle, or nil for any other value; each may be asked for once.
  ///
  /// - Throws: `.invalidInput` or `.unsafeInput` where the file does not hold what its pickle says, `.io`.
  func table(_ value: ListValue) throws(RelabelError) -> NumberTable? {
    switch value {
    case .array(let array), .scalar(let array): return NumberTable(array)
    case .tensor(let tensor):
      let key = tensor.storage.key
      while storages[key] == nil { try readOn(for: key) }
      guard let bytes = storages[key] else { return nil }
      let table = try NumberTable(StoredTensor(tensor: tensor, bytes: bytes, start: 0))
      uses[key, default: 1] -= 1
      if uses[key] == 0 {
        storages[key] = nil
        waiting -= bytes.count
      }
      return table
    default: return nil
    }
  }

  /// Reads what lies behind the last tensor, so that nothing damaged passes.
  func finish() throws(RelabelError) {
    while reader != nil { try readMember() }
  }

  private func readOn(for key: String) throws(RelabelError) {
    guard reader != nil else {
      throw RelabelError(.invalidInput, "the file lacks the storage '\(key)' of a tensor")
    }
    try readMember()
  }

  private func readMember() throws(RelabelError) {
    guard let reader, let member = try reader.next() else {
      self.reader = nil
      return
    }
    guard member.kind == .regular, member.name.starts(with: folder) else {
      throw RelabelError(.invalidInput, "the zip file is not laid out as torch.save does")
    }
    let name = String(decoding: member.name[folder.count...], as: UTF8.self)
    try checkRatio(declared: member.size, of: bytes)
    let contents = try reader.contents(of: member, limit: Self.waitingBytes - waiting)
    if name == "byteorder", contents != Array("little".utf8) {
      throw RelabelError(.invalidInput, "the file is not little-endian; save it on such a machine")
    }
    guard name.hasPrefix("data/") else { return }
    let key = String(name.dropFirst("data/".count))
    guard uses[key, default: 0] > 0 else { return }
    guard storages.updateValue(contents, forKey: key) == nil else {
      throw RelabelError(.invalidInput, "the zip file has the storage '\(key)' twice")
    }
    waiting += contents.count
  }
}
