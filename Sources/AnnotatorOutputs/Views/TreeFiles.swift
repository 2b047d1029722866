import Relabel

/// The files below a folder, one after the other: names in the order of their bytes, folders among them.
///
/// Keeps the names of one folder on each level.
struct TreeFiles {
  /// Deeper than any folder of images; links that lead upwards end there, too.
  private static let maximumDepth = 16

  private struct Level {
    let prefix: String
    var names: ArraySlice<String>
  }

  private let root: ViewFolder
  private var levels: [Level] = []

  init(_ root: ViewFolder) throws(RelabelError) {
    self.root = root
    levels = [Level(prefix: "", names: try root.names()[...])]
  }

  /// The path of the next regular file below the root, nil behind the last one.
  ///
  /// - Throws: `.io`, and `.invalidInput` for folders that lie too deep within one another.
  mutating func next() throws(RelabelError) -> String? {
    while let level = levels.indices.last {
      guard let name = levels[level].names.popFirst() else {
        levels.removeLast()
        continue
      }
      let path = levels[level].prefix + name
      switch Folder.kind(of: root.path + path) {
      case .regular?: return path
      case .folder?:
        guard levels.count < Self.maximumDepth else {
          throw RelabelError(
            .invalidInput,
            "folders lie more than \(Self.maximumDepth) deep within one another",
            at: Location(file: root.path + path)
          )
        }
        let names = try ViewFolder(root.path + path).names()
        levels.append(Level(prefix: path + "/", names: names[...]))
      default: break
      }
    }
    return nil
  }
}
