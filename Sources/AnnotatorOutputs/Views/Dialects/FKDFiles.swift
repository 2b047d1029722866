import Relabel

/// Files of FKD, one for each picture; FerKD, whose writer is not public, stores the same by its paper.
///
/// Source: szq0214/FKD at afd5294b43c8b8c437c4d314c01661b24569aa0e, FKD/FKD_SLG/generate_soft_label.py; read by
/// FKD/utils_FKD.py.
///
/// `…/CLASS/STEM.tar` is a zip of `torch.save`: [coords [n,4], flip bool [n], labels], NumPy arrays all. Labels are
/// [m,2,k], the ids first, as floats; [m,2] of one id and its probability (`smoothing`); or ids i64 [m] (`hard`), which
/// are stored as a probability of 1.
///
/// - Temperature, label type, number of classes and view size stand nowhere.
/// - With crops that don't divide by the segments m is less than n: crops without labels are no views. They stay in the
///   operations of the picture's last view, as `unlabelled`.
/// - The stem of a picture is cut at its first dot, so that `x.JPEG` and `x.b.JPEG` share a file. Whose labels are in it
///   can't be told; with an image list that has both, the file is refused.
/// - The key is the class folder and the stem; what lies above is kept as `folder`.
struct FKDFiles: ViewDialect {
  let names = ["fkd", "ferkd"]

  func recognises(_ folder: ViewFolder) throws(RelabelError) -> Bool {
    var folder = folder
    for _ in 0..<ViewFolder.maximumDepth {
      guard let name = try folder.glance().first else { return false }
      switch Folder.kind(of: folder.path + name) {
      case .folder?: folder = ViewFolder(folder.path + name)
      case .regular? where name.hasSuffix(".tar"):
        return try Self.isOne(folder.path + name)
      default: return false
      }
    }
    return false
  }

  private static func isOne(_ path: String) throws(RelabelError) -> Bool {
    let file = try OpenFile(reading: path)
    guard try file.read(at: 0, count: min(file.size, 4)) == Array("PK\u{3}\u{4}".utf8) else {
      return false
    }
    do throws(RelabelError) {
      return try FKDFile.isOne(ListFile(path).value)
    } catch {
      if error.code == .io { throw error }
      // A damaged file of torch is told as such.
      return true
    }
  }

  func open(_ folder: ViewFolder, _ options: InputOptions) throws(RelabelError) -> any ViewSource {
    try FKDSource(folder, options)
  }
}

/// The views of FKD's files, picture by picture.
private final class FKDSource: ViewSource {
  private(set) var settings: ViewSettings
  private(set) var ignored: [String] = []
  private(set) var bytesRead: Int64 = 0

  private let root: ViewFolder
  private let keys: FKDKeys
  private let first: FKDFile.Form
  private var files: TreeFiles
  /// Files whose views have been given.
  private var count: Int64 = 0

  init(_ root: ViewFolder, _ options: InputOptions) throws(RelabelError) {
    self.root = root
    files = try TreeFiles(root)
    var path = try files.next()
    while let found = path, !found.hasSuffix(".tar") { path = try files.next() }
    guard let path else {
      throw RelabelError(.usage, "there is no file of the dialect 'fkd' in the folder")
    }
    let file: FKDFile
    do throws(RelabelError) {
      file = try FKDFile(ListFile(root.path + path))
    } catch {
      throw error.located(Location(file: root.path + path))
    }
    first = file.form
    keys = try FKDKeys(path, options.imageList)
    settings = Self.settings(file, keys)
    try Self.checkIDs(file, options)
    if try keys.ascend(root) { settings.rowOrder = .image }
    files = try TreeFiles(root)
  }

  private static func checkIDs(_ file: FKDFile, _ options: InputOptions) throws(RelabelError) {
    let scalar = file.labels.scalar
    try SparseMap.checkIDs(
      as: scalar.typeName,
      held: scalar.classesHeld,
      classes: options.numClasses
    )
  }

  private static func settings(_ file: FKDFile, _ keys: FKDKeys) -> ViewSettings {
    var settings = ViewSettings(dialect: "fkd")
    settings.columns = [Layout.viewBox, Layout.viewFlip]
    settings.boxType = file.coords.scalar == .float16 ? .float16 : .float32
    settings.chain = ["crop", "resize", "flip"]
    settings.rowsTogether = file.count
    settings.source["folder"] = .string(keys.folder)
    settings.source["labels"] = .string(file.form.kind.rawValue)
    settings.source["id_type"] = .string(file.labels.scalar.typeName)
    settings.source["numpy"] = file.coords.module.map { .string($0.rawValue) }
    if file.form.kind == .hard {
      settings.kind = .probability
    } else if file.labels.scalar == .float16 {
      settings.scalar = .float16
    }
    let unlabelled = file.coords.shape[0] - file.count
    if unlabelled > 0 {
      settings.columns.insert(Layout.operations)
      settings.operationsSchema = "relabel-views/fkd"
      settings.operationsBytes = min(unlabelled * 112 + 20, Layout.maximumOperationsBytes)
    }
    return settings
  }

  func next() throws(RelabelError) -> ViewPiece? {
    while let path = try files.next() {
      guard path.hasSuffix(".tar") else {
        ignored.append(root.path + path)
        continue
      }
      let whole = root.path + path
      do throws(RelabelError) {
        let key = try keys.key(of: path)
        let file = try ListFile(whole)
        bytesRead += Int64(file.bytes)
        let labels = try FKDFile(file)
        guard labels.form == first else {
          throw RelabelError(
            .invalidInput,
            "the file holds \(labels.form.words), the first one \(first.words): give each run by itself"
          )
        }
        let views = try labels.views(.file(key, count), whole)
        count += 1
        return ViewPiece(path: whole, views: .success(views))
      } catch {
        return ViewPiece(path: whole, views: .failure(error))
      }
    }
    return nil
  }
}
