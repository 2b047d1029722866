import Relabel
import RelabelVerification

/// The class that the source gives to each image: written as `source_label`, so that maps and names
/// can be compared (spec, section 4.5; rule V018).
struct SourceLabels: Sendable {
  private enum Kind: Sendable {
    /// The image's folder is the id of its class; `isAsked` where the user said so.
    case folders([String: Int32], isAsked: Bool)
    /// A list gives each image its class.
    case list([String: Int32])
  }

  private let kind: Kind
  /// What the index records of the labels.
  let record: JSON

  /// The label of an image that has none.
  private static let none: Int32 = -1

  /// What the user asked for.
  ///
  /// - Parameters:
  ///   - source: the user's choice; nil takes folders where the class table has all of `keys`.
  ///   - classes: the class table.
  ///   - numClasses: how many classes there are.
  ///   - keys: some images of the dataset.
  /// - Returns: nil where no label is to be stored.
  /// - Throws: `.usage` for a list that is wrong, or folders without a class table.
  static func make(
    _ source: LabelSource?,
    classes: ClassTable?,
    numClasses: Int,
    keys: [String]
  ) throws(RelabelError) -> SourceLabels? {
    let ids = classes?.indexes ?? [:]
    switch source {
    case .some(.none): return nil
    case .folders:
      guard classes != nil else {
        throw RelabelError(.usage, "--labels from-folders needs the class list: --classes FILE")
      }
      return SourceLabels(kind: .folders(ids, isAsked: true), record: .string("folders"))
    case .list(let file, let lines):
      var labels: [String: Int32] = [:]
      for (place, line) in lines.enumerated() {
        let (key, label) = try parse(line, ids, numClasses, at: "\(file), line \(place + 1)")
        if let earlier = labels.updateValue(label, forKey: key), earlier != label {
          throw RelabelError(
            .usage,
            "the label list gives '\(key)' the classes \(earlier) and \(label); line \(place + 1)",
            at: Location(file: file)
          )
        }
      }
      var digest = Digest()
      for line in lines { digest.update(Array("\(line)\n".utf8)) }
      return SourceLabels(kind: .list(labels), record: .string(digest.hex()))
    case nil:
      guard !keys.isEmpty,
        keys.allSatisfy({ ImageKey.folder(of: Array($0.utf8)[...]).map { ids[$0] != nil } ?? false }
        )
      else { return nil }
      return SourceLabels(kind: .folders(ids, isAsked: false), record: .string("folders"))
    }
  }

  /// One line: the image's path, a tab, comma or blank, and the class by id or number.
  private static func parse(
    _ line: String,
    _ ids: [String: Int32],
    _ numClasses: Int,
    at place: String
  ) throws(RelabelError) -> (key: String, label: Int32) {
    guard let end = line.lastIndex(where: { $0 == "\t" || $0 == "," || $0 == " " }) else {
      throw RelabelError(.usage, "\(place): this is not PATH<TAB>CLASS")
    }
    let path = TextList.unquoted(line[..<end])
    let text = TextList.unquoted(line[line.index(after: end)...])
    if let label = ids[text] { return (Self.key(of: path), label) }
    guard let label = Int32(text), label >= 0, label < numClasses else {
      throw RelabelError(
        .usage,
        "\(place): '\(text)' is neither an id of the class list nor a number below \(numClasses)"
      )
    }
    return (key(of: path), label)
  }

  /// The key of a path in a list: lists name pictures or maps, with their extension.
  static func key(of path: String) -> String {
    let path = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
    let stem = ImageKey.strippingExtension(path)
    let ending = path.dropFirst(stem.count + 1)
    return PictureTree.isPicture(String(ending)) || ending == "pt" || ending == "npy" ? stem : path
  }

  /// The label of an image; −1 for none.
  ///
  /// - Throws: `.invalidInput` for an image without one where the user said that all have one.
  func label(of key: String) throws(RelabelError) -> Int32 {
    switch kind {
    case .folders(let ids, let isAsked):
      let folder = ImageKey.folder(of: Array(key.utf8)[...])
      if let label = folder.flatMap({ ids[$0] }) { return label }
      guard isAsked else { return Self.none }
      let what =
        folder.map { "its folder '\($0)' is not an id of the class list" } ?? "it has no folder"
      throw RelabelError(.invalidInput, "the image has no source label: \(what)")
    case .list(let labels):
      if let label = labels[key] ?? labels[Self.key(of: key)] { return label }
      throw RelabelError(.invalidInput, "the image has no line in the label list")
    }
  }
}

/// Where the classes of the source come from.
public enum LabelSource: Sendable {
  /// Nowhere: none are stored.
  case none
  /// The name of an image's folder is the id of its class.
  case folders
  /// A list of lines PATH<TAB>CLASS.
  case list(file: String, lines: [String])
}

/// In how many images the source's class is the best one of a cell.
public struct LabelAgreement: Hashable, Sendable {
  /// Images with a source label.
  public private(set) var labelled: Int = 0
  /// Those whose label is the best class of some cell of their map.
  public private(set) var agreeing: Int = 0

  /// True where rule V018 would be broken: fewer than a quarter of at least fifty agree.
  public var isDoubtful: Bool {
    LabelStatistics.areMixedUp(labelled: labelled, agreeing: agreeing)
  }

  /// Nothing compared so far.
  init() {}

  /// One image.
  init(_ map: LabelMap, _ label: Int32) {
    guard label >= 0 else { return }
    labelled = 1
    let (k, wanted) = (map.shape.topK, UInt32(label))
    let agrees = (0..<map.shape.cells).contains { cell in
      let entries = cell * k..<(cell + 1) * k
      guard let place = entries.first(where: { map.classIndex[$0] == wanted }) else { return false }
      return entries.allSatisfy { map.score[$0] <= map.score[place] }
    }
    agreeing = agrees ? 1 : 0
  }

  /// Adds what other images gave.
  mutating func add(_ other: Self) {
    labelled += other.labelled
    agreeing += other.agreeing
  }
}
