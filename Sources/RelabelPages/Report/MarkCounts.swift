package import Relabel

/// What people have marked, from lines `key<TAB>mark<TAB>note`; the last line of a key counts.
package struct MarkCounts: Sendable {
  /// Images marked as good.
  let good: Int
  /// Images whose source label is marked as wrong.
  let wrongLabel: Int
  /// Images marked to be excluded.
  let exclude: Int
  /// Keys that the dataset does not have.
  let unknown: Int

  /// The longest file: 64 bytes for each of sixteen million images.
  private static let limit = 1 << 30

  /// Reads a file of marks.
  ///
  /// - Throws: `.io`; `.usage` naming a line that is no mark.
  package init(_ path: String, in source: any LabelMapSource) throws(RelabelError) {
    let bytes = try Folder.contents(path, limit: Self.limit)
    var marks: [String: String] = [:]
    for (number, line) in try TextList.lines(bytes, file: path).enumerated() where !line.isEmpty {
      let fields = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count >= 2, ["good", "wrong-label", "exclude"].contains(fields[1]) else {
        throw RelabelError(
          .usage,
          "line \(number + 1) is not KEY<TAB>MARK<TAB>NOTE with the mark good, wrong-label or exclude",
          at: Location(file: path)
        )
      }
      marks[String(fields[0])] = String(fields[1])
    }
    var counts: [String: Int] = [:]
    var unknown = 0
    for (key, mark) in marks {
      if try source.positions(forKey: key).isEmpty {
        unknown += 1
      } else {
        counts[mark, default: 0] += 1
      }
    }
    (good, exclude) = (counts["good"] ?? 0, counts["exclude"] ?? 0)
    (wrongLabel, self.unknown) = (counts["wrong-label"] ?? 0, unknown)
  }

  /// For a page.
  var json: JSON {
    .object([
      "good": .integer(Int64(good)), "wrong_label": .integer(Int64(wrongLabel)),
      "exclude": .integer(Int64(exclude)), "unknown": .integer(Int64(unknown)),
    ])
  }
}
