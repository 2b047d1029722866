/// What people said of images while they looked at them (spec/see.md, "The table of marks").
///
/// A table of text with a line for each image; the order is that in which images were first marked.
public struct ReviewMarks: Hashable, Sendable {
  /// What is thought of an image.
  public enum Verdict: String, CaseIterable, Sendable {
    /// Its labels fit.
    case good
    /// Its labels are not what the picture shows.
    case wrongLabel = "wrong-label"
    /// The image has to be left out of datasets.
    case exclude
  }

  /// What was said of one image.
  public struct Mark: Hashable, Sendable {
    /// What is thought of it; nil for an image with a note alone.
    public var verdict: Verdict?
    /// Any words, of any number of lines.
    public var note: String

    /// Makes a mark.
    public init(_ verdict: Verdict?, note: String = "") {
      (self.verdict, self.note) = (verdict, note)
    }

    /// True where nothing is said.
    public var isEmpty: Bool { verdict == nil && note.isEmpty }
  }

  /// The longest note, in bytes of UTF-8.
  public static let maximumNoteBytes: Int = 4096
  /// The most images that can be left out by name: `index.json` lists each of them.
  public static let maximumExclusions: Int = 200_000
  /// The first line of the table.
  public static let header: String = "key\tmark\tnote"

  /// The images that are marked, in the order in which that was first done.
  public private(set) var keys: [String] = []
  private var marks: [ImageKey.Exact: Mark] = [:]

  /// Makes a table without marks.
  public init() {}

  /// What was said of an image; nil for nothing.
  public subscript(key: String) -> Mark? { marks[ImageKey.Exact(key)] }

  /// Says something else of an image, or nothing any more.
  ///
  /// - Complexity: O(marks) where nothing is said any more.
  public mutating func set(_ mark: Mark?, of key: String) {
    let exact = ImageKey.Exact(key)
    let mark = mark?.isEmpty == true ? nil : mark
    let earlier = marks[exact]
    marks[exact] = mark
    if earlier == nil, mark != nil { keys.append(key) }
    if earlier != nil, mark == nil { keys.removeAll { ImageKey.Exact($0) == exact } }
  }

  /// How many images have a verdict.
  public func count(_ verdict: Verdict) -> Int { marks.values.count { $0.verdict == verdict } }

  /// True for an image that has to be left out.
  public func excludes(_ key: String) -> Bool { self[key]?.verdict == .exclude }

  /// Why a note can't be kept, or nil.
  public static func fault(ofNote note: String) -> String? {
    if note.utf8.count > maximumNoteBytes {
      return "the note has more than \(maximumNoteBytes) bytes"
    }
    let kept: Set<Unicode.Scalar> = ["\t", "\n", "\r"]
    let isControl = { (character: Unicode.Scalar) in
      character.value < 0x20 || character.value == 0x7F
    }
    return note.unicodeScalars.contains { isControl($0) && !kept.contains($0) }
      ? "the note holds control characters" : nil
  }

  /// What an index says of an image that was left out.
  ///
  /// - Returns: nil for an image that stays.
  package func reason(_ key: String) -> String? {
    guard let mark = self[key], mark.verdict == .exclude else { return nil }
    return mark.note.isEmpty
      ? "excluded" : "excluded: \(mark.note.prefix(200).description.printable)"
  }

  /// The digest of the images to be left out, in whatever order they were marked.
  package var exclusionDigest: String {
    var digest = Digest()
    for key in excludedKeys.sorted(by: ImageKey.precedes) { digest.update(Array("\(key)\n".utf8)) }
    return digest.hex()
  }

  /// The images to be left out.
  package var excludedKeys: [String] { keys.filter(excludes) }
}
