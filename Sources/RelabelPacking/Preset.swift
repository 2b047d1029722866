import Relabel

/// A set of options that belong together (spec, section 18).
public enum Preset: String, Hashable, Sendable, CaseIterable {
  /// Quick to read in any order; targets as good as from the input.
  case `default`
  /// 29 % smaller: coarser scores, cells in class order, slower to pack and to read at random.
  case small

  /// The order of a cell's entries.
  var cellOrder: CellOrder { self == .small ? .class : .score }

  /// Images in one chunk of so compressed labels.
  ///
  /// What is not compressed gains nothing from neighbours, which a random image would bring along; `small` keeps
  /// its own number, for fewer chunks are less to store.
  func imagesPerChunk(_ compression: Compression) -> Int {
    self == .small ? 16 : compression == .none ? 1 : 4
  }

  /// How chunks are compressed.
  var compression: Compression { self == .small ? .deflate(level: 12) : .default }

  /// How many default steps of `fixed16` make a step of this preset.
  private var coarseness: Double { self == .small ? 8 : 1 }

  /// The largest error of a stored score where the user names none; nil leaves it to the encoding.
  ///
  /// Only `fixed16` gets coarser: the other encodings are there for what they are.
  func maximumError(_ encoding: ScoreEncoding.Name, _ kind: ScoreKind) -> Double? {
    guard encoding == .fixed16, coarseness > 1 else { return nil }
    return try? ScoreEncoding(encoding, for: kind).bound.map { $0 * coarseness }
  }
}
