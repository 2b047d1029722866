import Relabel

/// The keys of FKD's files: class folder and stem.
struct FKDKeys {
  /// What lies above the class folders, below the root.
  let folder: String
  private let depth: Int
  private let list: ImageList?
  /// Lines of the image list whose pictures have a dot in their stem, by what FKD cuts it to.
  private var dotted: [ImageKey.Exact: [Int]] = [:]

  /// - Parameters:
  ///   - first: the path of one of the files below the root.
  ///   - lines: of the image list.
  /// - Throws: `.usage` for an image list that is wrong.
  init(_ first: String, _ lines: [String]?) throws(RelabelError) {
    let parts = first.split(separator: "/")
    depth = parts.count
    folder = parts.dropLast(2).joined(separator: "/")
    guard let lines else {
      list = nil
      return
    }
    let list = try ImageList(lines)
    self.list = list
    for (line, key) in list.keys.enumerated() {
      let stem = Self.stem(key)
      if stem != key { dotted[ImageKey.Exact(stem), default: []].append(line) }
    }
  }

  /// A key whose last part is cut at its first dot.
  private static func stem(_ key: String) -> String {
    let name = Folder.name(of: key)
    guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return key }
    return String(key.dropLast(name[dot...].count))
  }

  /// The key of a file.
  ///
  /// - Throws: `.invalidInput` for a file at another depth, or of which the image list has two pictures.
  func key(of path: String) throws(RelabelError) -> String {
    let parts = path.split(separator: "/")
    guard parts.count == depth, parts.dropLast(2).joined(separator: "/") == folder else {
      throw RelabelError(
        .invalidInput,
        "the first file of the run lies below '\(folder)/', this one elsewhere: give each run by itself"
      )
    }
    let key = String(parts.suffix(2).joined(separator: "/").dropLast(".tar".count))
    guard let list, let lines = dotted[ImageKey.Exact(key)] else { return key }
    let all = lines + (list.line(of: key).map { [$0] } ?? [])
    guard all.count == 1 else {
      let names = all.sorted().prefix(2).map { "'\(list.lines[$0])'" }.joined(separator: " and ")
      throw RelabelError(
        .invalidInput,
        "\(names) of the image list share this file, and whose labels are in it can't be told: leave all but one out"
          + " of the list"
      )
    }
    return list.keys[all[0]]
  }

  /// True where the files come in the order of their images' indexes.
  ///
  /// - Throws: `.io`.
  func ascend(_ root: ViewFolder) throws(RelabelError) -> Bool {
    guard let list else { return true }
    var (files, last) = (try TreeFiles(root), -1)
    while let path = try files.next() {
      guard path.hasSuffix(".tar") else { continue }
      do throws(RelabelError) {
        guard let line = list.line(of: try key(of: path)) else { continue }
        if line < last { return false }
        last = line
      } catch {
        // Told when the file is read.
        continue
      }
    }
    return true
  }
}
