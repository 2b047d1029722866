package import Relabel

/// One way in which annotators write label maps: what a file of this folder says about it.
package protocol Dialect: Sendable {
  /// The dialect's name, for people.
  var name: String { get }
  /// The word that names it after `--dialect`.
  var word: String { get }
  /// The extensions of its files, each with its dot.
  var extensions: [String] { get }
  /// Extensions that are recognised for a file that is an input itself: below folders they may be of anything.
  var endingsOfInputs: [String] { get }
  /// True when only a file of its own can be read, no member of an archive.
  var needsOwnFile: Bool { get }

  /// What the first bytes of a file show, up to 512, if they can only be of this dialect; else nil.
  func evidence(in head: [UInt8]) -> String?

  /// Lists the maps in the bytes of a file or member without loading them.
  ///
  /// - Parameters:
  ///   - region: the whole file or member.
  ///   - path: gives the name of the file or member.
  ///   - options: what the user said.
  ///   - spool: where contents may be kept that can only be read once.
  /// - Returns: the maps.
  /// - Throws: `.invalidInput` or `.unsafeInput` when the file is broken as a whole.
  func list(
    _ region: ByteRegion,
    path: () -> String,
    options: InputOptions,
    spool: inout Spool
  ) throws(RelabelError) -> FoundMaps
}

extension Dialect {
  /// False: most dialects read a member of an archive as they read a file.
  package var needsOwnFile: Bool { false }

  /// None: most extensions mean the same everywhere.
  package var endingsOfInputs: [String] { [] }

  /// Nil: what the extension says is all that is known before the file is read.
  package func evidence(in head: [UInt8]) -> String? { nil }
}

/// The registry of dialects.
package enum Dialects {
  /// All dialects that are read.
  package static let all: [any Dialect] = [
    ReLabelTensor(),
    DenseArray(),
    NumPyArchive.Files(),
    PASSLArray(),
    PickledMaps(),
    Safetensors(),
    HDF5Arrays(),
    LabelTable(),
    MultilabelTSV(),
    LabelJSON(),
    ReaLLists(),
  ]

  /// The words that `--dialect` takes, with what each means.
  package static let words: [(word: String, name: String)] = all.map { ($0.word, $0.name) }

  /// The dialect of a word.
  ///
  /// - Throws: `.usage` for a word that names none.
  package static func named(_ word: String) throws(RelabelError) -> any Dialect {
    if let dialect = all.first(where: { $0.word == word }) { return dialect }
    throw RelabelError(
      .usage,
      "--dialect '\(word)' is not known; the dialects are \(all.map(\.word).joined(separator: ", ")), "
        + "and of labels of crops \(ViewDialects.words)"
    )
  }

  /// The dialect that only can have written a file with these first bytes, or nil.
  static func recognising(head: [UInt8]) -> (any Dialect)? {
    all.first { $0.evidence(in: head) != nil }
  }

  /// The dialect of a file that is an input itself, by its extension.
  static func recognising(input path: String) -> (any Dialect)? {
    let name = path.lowercased()
    return recognising(path)
      ?? all.first { $0.endingsOfInputs.contains(where: name.hasSuffix) }
  }

  /// The endings of files that are read, for people.
  static var endings: String { all.flatMap(\.extensions).joined(separator: ", ") }

  /// The dialect that recognises the extension of a path, in small or capital letters, or nil.
  static func recognising(_ path: String) -> (any Dialect)? {
    let bytes = path.utf8
    // Of bytes, and no longer than any ending: there are millions of paths.
    let suffix = bytes.suffix(longestEnding)
    guard let dot = suffix.lastIndex(of: UInt8(ascii: ".")) else { return nil }
    let ending = String(
      decoding: suffix[dot...].map { $0 | ($0 >= 0x41 && $0 <= 0x5A ? 0x20 : 0) },
      as: UTF8.self
    )
    return all.first { $0.extensions.contains(ending) }
  }

  private static let longestEnding: Int = all.flatMap(\.extensions).map(\.utf8.count).max() ?? 0
}

extension InputOptions {
  /// The dialect of a file below a folder or in an archive, by its name; nil for one that is not read.
  func dialect(of path: String) -> (any Dialect)? {
    guard let word = dialect else { return Dialects.recognising(path) }
    guard Dialects.recognising(input: path) != nil else { return nil }
    return Dialects.all.first { $0.word == word }
  }

  /// The same of a file in a folder: in the dialect that the user named, one of any name is read that begins so.
  func dialect(
    of path: String,
    at place: String,
    _ status: Result<FileStatus, SystemError>
  ) -> (any Dialect)? {
    if let dialect = dialect(of: path) { return dialect }
    guard let word = dialect, case .success(let status) = status, status.kind == .regular,
      let named = Dialects.all.first(where: { $0.word == word })
    else { return nil }
    do throws(RelabelError) {
      let file = try OpenFile(reading: place)
      let head = try file.read(at: 0, count: min(file.size, 512))
      return named.evidence(in: head) == nil ? nil : named
    } catch {
      // Taken, so that the image fails with the same error.
      return named
    }
  }
}

/// What is known about a map before it is loaded.
package struct MapTraits {
  /// Classes that a dense map scores.
  var denseClasses: Int?
  /// What a score is, when the input says so.
  var scoreKind: ScoreKind?
  /// True when the score kind is only a convention that the user may overrule.
  var isConvention = false
  /// How many classes the annotator scores, unless the input or the user says otherwise.
  var usualClasses: Int?
  /// The dialect that the map is written in.
  var dialect: String?
  /// What shows that the map is of it.
  var evidence: String?
  /// True for maps of ReLabel code, which writes either axis first and does not say which.
  var isReLabelDialect = false
  /// The optional datasets that the map's `facts` are values of.
  var columns: [Layout.Column] = []
}

/// What maps share: how they are loaded, and what is known about them before.
///
/// Equal descriptions are kept once for millions of images.
package protocol MapDescription: Hashable, Sendable {
  /// What is known without loading.
  var traits: MapTraits { get }

  /// Loads the map in `region`; `path` names the file that an image comes from.
  ///
  /// Of an archive whose arrays are spooled, some rows are kept whole; `wantsDense` says whether the
  /// caller wants the scores of all classes of a map that has them anyway.
  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap

  /// What the source says of the image in `region` beside its map: values of the traits' columns.
  func facts(_ region: ByteRegion) throws(RelabelError) -> [[UInt8]]
}

extension MapDescription {
  /// Nothing: most sources hold maps alone.
  package func facts(_ region: ByteRegion) throws(RelabelError) -> [[UInt8]] { [] }

  /// True for an equal description of the same type.
  func isEqual(to other: any MapDescription) -> Bool { (other as? Self) == self }
}

/// What has to be read for an image.
enum Payload: Sendable {
  indirect case failure(RelabelError)
  case map(any MapDescription, ByteRegion)

  var byteCount: Int {
    switch self {
    case .failure: 0
    case .map(_, let region): region.count
    }
  }

  var traits: MapTraits {
    switch self {
    case .failure: MapTraits()
    case .map(let description, _): description.traits
    }
  }
}

/// The maps of a file or member, made one by one: there may be millions.
package struct FoundMaps {
  /// What the maps are called.
  enum Names {
    /// There is one map, which is called like its file.
    case file
    /// The maps are called by the number of their row.
    case rows
    /// The file gives each map its key.
    case keys(any MapKeys)
  }

  let names: Names
  let payloads: LazyMapCollection<Range<Int>, Payload>

  /// One map that is called like its file.
  init(_ description: any MapDescription, _ region: ByteRegion) {
    names = .file
    payloads = (0..<1).lazy.map { _ in .map(description, region) }
  }

  /// As many maps as `count`.
  init(_ names: Names, count: Int, _ payload: @escaping (Int) -> Payload) {
    self.names = names
    payloads = (0..<count).lazy.map(payload)
  }
}
