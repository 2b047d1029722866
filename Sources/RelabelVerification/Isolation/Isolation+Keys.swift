internal import HelperProcesses
internal import Relabel

extension Isolation {
  /// The most rows that one helper is asked for: what they take of its command line, at most 20 bytes each, stays
  /// under the system's limit of 128 KiB.
  static let keysAtOnce = 4096

  /// The image keys of some rows, read where this says.
  ///
  /// - Parameters:
  ///   - rows: read by a helper for each `keysAtOnce` of them.
  ///   - path: the shard.
  /// - Returns: a key for each row.
  /// - Throws: what the reader refuses, `.io` when the helper can't be started, `.internalFault` when it died.
  func keys(ofRows rows: [Int], in path: String) throws(RelabelError) -> [String] {
    var keys: [String] = []
    for start in stride(from: 0, to: rows.count, by: Self.keysAtOnce) {
      keys += try readKeys(rows[start..<min(start + Self.keysAtOnce, rows.count)], path)
    }
    return keys
  }

  private func readKeys(_ rows: ArraySlice<Int>, _ path: String) throws(RelabelError) -> [String] {
    let bytes = try Folder.fileBytes(path)
    guard let process = process(fileBytes: bytes, jobs: 1) else {
      return try VerificationHelper.keys(ofRows: Array(rows), in: path)
    }
    let request = JSON.object([
      "path": .string(path), "rows": .array(rows.map { .integer(Int64($0)) }),
    ])
    var keys: [String] = []
    var refusal: RelabelError?
    let death = try process.run(VerificationHelper.keyTask, request) {
      message throws(RelabelError) in
      let fact = try message.json()
      if let failure = fact["failure"]?.string {
        refusal = RelabelError(.io, failure, at: Location(file: path))
      }
      keys += fact["keys"]?.array?.compactMap(\.string) ?? []
    }
    if let refusal { throw refusal }
    guard death == nil, keys.count == rows.count else {
      let how = death.map(String.init(describing:)) ?? "sent \(keys.count) keys of \(rows.count)"
      throw RelabelError(
        .internalFault,
        "keys that two shards seem to share can't be compared: the helper process \(how);"
          + " nothing is known of them, verify again",
        at: Location(file: path)
      )
    }
    return keys
  }
}

extension VerificationHelper {
  /// Keys of one message, each of which has at most 1,024 bytes.
  private static let keysOfMessage = 1024

  /// Sends the keys of the rows that are asked for.
  static func readKeys(_ json: JSON, _ writer: MessageWriter) throws(RelabelError) {
    guard let path = json["path"]?.string, let rows = json["rows"]?.array?.compactMap(\.integer)
    else {
      throw RelabelError(.internalFault, "this is no request")
    }
    let keys: [String]
    do {
      keys = try Self.keys(ofRows: rows.map { Int($0) }, in: path)
    } catch {
      return try writer.send(HelperMessage(.object(["failure": .string(error.message)])))
    }
    for start in stride(from: 0, to: keys.count, by: keysOfMessage) {
      let some = keys[start..<min(start + keysOfMessage, keys.count)].map { JSON.string($0) }
      try writer.send(HelperMessage(.object(["keys": .array(some)])))
    }
  }

  fileprivate static func keys(ofRows rows: [Int], in path: String) throws(RelabelError) -> [String]
  {
    let reader = try ShardReader(path)
    var keys: [String] = []
    for row in rows { keys.append(try reader.key(at: row)) }
    return keys
  }
}
