private import CHDF5
internal import RelabelFormat

/// An HDF5 file of another program.
///
/// Nothing leads out of it: external links, external storage and virtual datasets are named and never followed.
/// Meant for a helper process: the file may crash the library.
package struct ForeignFile: ~Copyable {
  private let file: File

  /// Opens the file for reading.
  ///
  /// - Throws: the library's error for what it can't open.
  package init(_ path: String) throws(HDF5Error) { file = try File.open(path) }

  /// True where the root group has a text attribute with this value.
  package func says(_ attribute: String, _ value: String) throws(HDF5Error) -> Bool {
    try file.attribute(attribute)?.value == .string(Array(value.utf8))
  }

  /// Groups within groups that are looked into.
  private static let maximumDepth = 64

  /// Shows every dataset, and every link that leads to none, in the order of the file.
  ///
  /// Each group is looked into once, however many ways lead to it.
  ///
  /// Calls `H5Literate`.
  /// - Parameter visit: may refuse to see more.
  /// - Throws: the library's error, or what `visit` throws, as it is.
  package func walk(_ visit: @escaping (ForeignObject) throws -> Void) throws {
    let walk = Walk(visit)
    try Library.locked { try walk.group(file.id, "", depth: 0) }
  }

  /// Opens a dataset; every step of the way to it has to be a hard link.
  ///
  /// - Throws: the library's error, or a refusal of a way that leads out of the file.
  package func open(_ path: String) throws(HDF5Error) -> ForeignDataset {
    var way = ""
    for step in path.split(separator: "/", omittingEmptySubsequences: false) {
      way += way.isEmpty ? step : "/" + step
      var info = chdf5_link_info()
      try Library.check("H5Lget_info", on: way) { chdf5_get_link_info(file.id, way, &info) }
      guard info.type == H5L_TYPE_HARD else {
        throw HDF5Error(
          call: "H5Lget_info",
          object: way,
          "this is no hard link; it is not followed"
        )
      }
    }
    let handle = try Handle("H5Dopen2", on: path, closer: H5Dclose) { H5Dopen2(file.id, path, 0) }
    return ForeignDataset(adopting: handle, path: path)
  }

  /// One walk over a file.
  private final class Walk {
    let visit: (ForeignObject) throws -> Void
    private var seen: Set<UInt64> = []
    private var failure: (any Error)?

    init(_ visit: @escaping (ForeignObject) throws -> Void) { self.visit = visit }

    /// What the library hands back for each link.
    private struct Context {
      let walk: Walk
      let path: String
      let depth: Int
    }

    func group(_ id: hid_t, _ path: String, depth: Int) throws {
      var context = Context(walk: self, path: path, depth: depth)
      let status = withUnsafeMutablePointer(to: &context) { context in
        chdf5_visit_links(
          id,
          { group, name, info, context in
            guard let name, let info, let context else { return -1 }
            let here = context.assumingMemoryBound(to: Context.self).pointee
            do {
              try here.walk.link(group, name, info.pointee, here)
              return 0
            } catch {
              here.walk.failure = error
              return -1
            }
          },
          context
        )
      }
      if let failure { throw failure }
      if status < 0 { throw HDF5Error.current("H5Literate", on: path.isEmpty ? "/" : path) }
    }

    private func link(
      _ group: hid_t,
      _ name: UnsafePointer<CChar>,
      _ info: chdf5_link_info,
      _ here: Context
    ) throws {
      let text = String(validatingCString: name)
      let step = text ?? String(cString: name)
      let path = here.path.isEmpty ? step : here.path + "/" + step
      func refuse(_ fault: String, isUnsafe: Bool = false) throws {
        try visit(ForeignObject(path, fault: fault, isUnsafe: isUnsafe))
      }
      guard text != nil, !step.isEmpty, !step.contains("/"), step != "." else {
        return try refuse("its name is not one that HDF5 allows, or not UTF-8")
      }
      switch info.type {
      case H5L_TYPE_HARD: break
      case H5L_TYPE_SOFT: return try refuse("it is a soft link, which is not followed")
      case H5L_TYPE_EXTERNAL:
        return try refuse(
          "it is an external link, which leads to another file and is not followed",
          isUnsafe: true
        )
      default: return try refuse("it is a link of a kind that is not followed")
      }
      let object = try Handle("H5Oopen", on: path, closer: H5Oclose) { H5Oopen(group, name, 0) }
      switch H5Iget_type(object.id) {
      case H5I_DATASET:
        try visit(ForeignDataset(adopting: object, path: path).describe())
      case H5I_GROUP:
        guard seen.insert(UInt64(info.u.address)).inserted else { return }
        guard here.depth < ForeignFile.maximumDepth else {
          return try refuse("groups lie more than \(ForeignFile.maximumDepth) deep", isUnsafe: true)
        }
        try self.group(object.id, path, depth: here.depth + 1)
      default:
        break
      }
    }
  }
}
