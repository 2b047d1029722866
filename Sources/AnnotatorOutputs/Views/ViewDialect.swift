import Relabel

/// One way in which programs store labels of crops: what a file of `Dialects/` says about it.
///
/// | dialect | schema of `operations` | one object of a row |
/// |---|---|---|
/// | fkd | `relabel-views/fkd` | `{"unlabelled":[[top,left,height,width,flip],…]}`: crops behind the labelled ones |
/// | edc | `relabel-views/edc` | `{"permutation":[[r,c],…]}`; absent: zeros |
/// | lpld of 21,000 classes | `relabel-views/lpld-cutout` | `{"cutout":[yc,xc,h,w,r,g,b]}`, before mixing |
/// | lpqld | `relabel-views/lpqld` | `{"level_type":["float16"\|"int64",…],"rand_augment":[[op,draw,level],…]}` |
/// | ml-dr | `relabel-views/ml-dr` | `{"params":…}`: the record's own list or dictionary |
///
/// The others store no operations.
protocol ViewDialect: Sendable {
  /// The dialect's name, and then others of the same layout.
  var names: [String] { get }

  /// True where a folder holds files of this dialect.
  ///
  /// - Throws: `.io`.
  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool

  /// Reads as much of a folder as settles what all its views have in common.
  ///
  /// - Parameters:
  ///   - folder: the folder.
  ///   - options: what the user said.
  /// - Returns: the views, one file after the other.
  /// - Throws: `.usage` where the user has to say more; `.invalidInput` or `.unsafeInput` for files that can't be
  ///   read; `.io`.
  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource
}

/// The views of a folder, one file after the other.
///
/// Belongs to one thread at a time.
protocol ViewSource: AnyObject {
  /// What holds for all views.
  var settings: ViewSettings { get }
  /// Files that are not read, as far as the folder was read.
  var ignored: [String] { get }
  /// Bytes of files read so far.
  var bytesRead: Int64 { get }

  /// The views of the next file or batch, nil at the end.
  ///
  /// - Throws: `.io`.
  func next() throws(RelabelError) -> ViewPiece?
}

/// What a file or batch came to.
struct ViewPiece {
  /// The file, for people.
  let path: String
  /// The views in their order, or why there are none.
  let views: Result<[StoredView], RelabelError>
}

/// The registry of dialects of crops.
package enum ViewDialects {
  /// All that are read; of two that recognise a folder, the first one counts.
  static let all: [any ViewDialect] = [
    TinyViTLogits(), MLDRFiles(), HALDLists(), LPQLDLists(), LPLDLists(), EDCLists(), GVBSMLists(),
    SRe2LLists(), FKDFiles(),
  ]

  /// All names, for people.
  package static var words: String { all.flatMap(\.names).sorted().joined(separator: ", ") }

  /// The dialect of a name, in small or capital letters.
  static func named(_ name: String) -> (any ViewDialect)? {
    let name = name.lowercased()
    return all.first { $0.names.contains(name) }
  }

  /// The dialect that the user names or that a folder shows, and the folder that its files lie in.
  ///
  /// - Returns: nil where the inputs are something else.
  /// - Throws: `.usage` for a named dialect with other inputs than one folder; `.io`.
  static func found(
    in paths: [String],
    _ options: InputOptions
  ) throws(RelabelError) -> (any ViewDialect, ViewFolder)? {
    let named = options.dialect.flatMap(named)
    if options.dialect != nil, named == nil { return nil }
    guard paths.count == 1, Folder.exists(paths[0]) else {
      guard let named else { return nil }
      throw RelabelError(
        .usage,
        "the dialect '\(named.names[0])' is read from one folder; give the folder that its files lie in"
      )
    }
    var folder = ViewFolder(paths[0])
    // Writers put a folder or two of their own around the files.
    for _ in 0..<ViewFolder.maximumDepth {
      for dialect in named.map({ [$0] }) ?? all where try dialect.recognises(folder) {
        return (dialect, folder)
      }
      guard let inner = try folder.onlyFolder else { break }
      folder = inner
    }
    return named.map { ($0, ViewFolder(paths[0])) }
  }
}
