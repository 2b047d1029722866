extension ShardReader {
  /// What this shard says of its dataset.
  package var statements: Statements {
    var said = header.statements(datasets: file.columns.map(\.name))
    said.say("bytes", .integer(Int64(stamp.bytes)), .m005)
    said.sayListed(
      rows: count,
      annotator: header.metadata.annotatorName,
      classesSHA256: header.metadata.classesDigest
    )
    return said
  }

  /// Refuses a shard that contradicts what `expected` says: its rows would be other images, or mean
  /// something else.
  ///
  /// - Throws: rule M005, M006 or M008.
  func check(against expected: Statements, of other: String) throws(RelabelError) {
    if let difference = statements.differences(from: expected).first {
      throw difference.violation(in: "the shard", against: other).error(file: path)
    }
  }
}
