public import Relabel

/// Which arrays of an HDF5 file are read, as the user names them.
public struct ChosenArrays: Hashable, Sendable {
  /// The way to the scores, or to a group with an array of scores for each image.
  private(set) var scores: String?
  /// The same of class ids, for scores of classes that were kept.
  private(set) var ids: String?
  /// The way to the keys.
  private(set) var keys: String?

  /// What the option takes, for help and errors.
  public static let words: String =
    "scores=PATH, or PATH alone; ids=PATH for the class ids of kept classes; keys=PATH"

  /// Reads words such as `scores=/net/outputs`.
  ///
  /// - Throws: `.usage` for two of one kind, and for class ids without scores.
  public init(_ words: [String]) throws(RelabelError) {
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let isNamed = parts.count == 2 && ["scores", "ids", "keys"].contains(parts[0])
      let way = (isNamed ? String(parts[1]) : word).split(separator: "/").joined(separator: "/")
      let role = isNamed ? parts[0] : "scores"
      let earlier =
        switch role {
        case "ids": ids.replace(way)
        case "keys": keys.replace(way)
        default: scores.replace(way)
        }
      guard earlier == nil, !way.isEmpty else {
        throw RelabelError(
          .usage,
          "--array '\(word)': there are two of \(role), or the path is empty; give \(Self.words)"
        )
      }
    }
    guard ids == nil || scores != nil else {
      throw RelabelError(.usage, "--array ids=… needs scores=… beside it")
    }
  }
}

extension Optional {
  /// Sets the value, and returns the one before.
  fileprivate mutating func replace(_ value: Wrapped) -> Wrapped? {
    defer { self = value }
    return self
  }
}
