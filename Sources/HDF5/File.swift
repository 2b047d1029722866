package import CHDF5
import Glibc
package import RelabelFormat

/// An HDF5 file; attributes set on it are those of the root group.
package struct File: ~Copyable, Object {
  private let root: Handle
  private let file: Handle
  private let path: String

  package var id: hid_t { root.id }
  package var name: String { path }

  /// Largest count of attributes or links kept in the object header, the library's own limit.
  static let compactLimit: UInt32 = 60_000

  /// Creates a file that does not exist yet, in the format of HDF5 1.10 with all metadata compact.
  ///
  /// Calls `H5Fcreate` with library bounds (v110, v110).
  package static func create(_ path: String) throws(HDF5Error) -> File {
    let creation = try Handle("H5Pcreate", on: path, closer: H5Pclose) {
      H5Pcreate(chdf5_class_file_create())
    }
    let id = creation.id
    // Dense storage lives in heaps without a checksum: everything stays in the object header.
    try Library.check("H5Pset_attr_phase_change", on: path) {
      H5Pset_attr_phase_change(id, compactLimit, 0)
    }
    try Library.check("H5Pset_link_phase_change", on: path) {
      H5Pset_link_phase_change(id, compactLimit, 0)
    }
    try Library.check("H5Pset_obj_track_times", on: path) { H5Pset_obj_track_times(id, false) }
    let access = try accessProperties(path)
    let accessID = access.id
    // Then a forgotten object makes the close fail, instead of keeping the file open behind us.
    // A reader's file, closed in any order, goes away with its last object, the default.
    try Library.check("H5Pset_fclose_degree", on: path) {
      H5Pset_fclose_degree(accessID, H5F_CLOSE_SEMI)
    }
    return try File(path) {
      H5Fcreate(path, chdf5_acc_truncate(), id, accessID)
    }
  }

  /// Opens a finished file for reading.
  ///
  /// Calls `H5Fopen`.
  package static func open(_ path: String) throws(HDF5Error) -> File {
    let access = try accessProperties(path)
    return try File(path) { H5Fopen(path, chdf5_acc_read_only(), access.id) }
  }

  private init(_ path: String, open: () -> hid_t) throws(HDF5Error) {
    let file = try Handle("H5Fopen", on: path, closer: H5Fclose, open: open)
    let id = file.id
    root = try Handle("H5Gopen2", on: path, closer: H5Gclose) { H5Gopen2(id, "/", 0) }
    self.file = file
    self.path = path
  }

  private static func accessProperties(_ path: String) throws(HDF5Error) -> Handle {
    let access = try Handle("H5Pcreate", on: path, closer: H5Pclose) {
      H5Pcreate(chdf5_class_file_access())
    }
    let id = access.id
    try Library.check("H5Pset_libver_bounds", on: path) {
      H5Pset_libver_bounds(id, H5F_LIBVER_V110, H5F_LIBVER_V110)
    }
    // Published files never change, and temporary ones have one writer; network file systems
    // often refuse locks, so none is asked for.
    try Library.check("H5Pset_file_locking", on: path) { H5Pset_file_locking(id, false, true) }
    return access
  }

  /// Writes everything out and closes; a full disk shows up here.
  ///
  /// Calls `H5Fclose`.
  package consuming func close() throws(HDF5Error) {
    let path = path
    let fileID = file.id
    try Library.check("H5Fflush", on: path) { H5Fflush(fileID, H5F_SCOPE_LOCAL) }
    try root.close("H5Gclose", on: path)
    try file.close("H5Fclose", on: path)
  }

  /// The links of the root group, in name order.
  ///
  /// Calls `H5Lget_info`.
  /// - Parameter skipped: names of links that are not looked at: what they lead to may be damaged.
  /// - Returns: the others.
  /// - Throws: the library's error for a link whose object can't be opened.
  package func links(except skipped: Set<String> = []) throws(HDF5Error) -> [StoredLink] {
    try Library.locked { () throws(HDF5Error) -> [StoredLink] in
      var info = H5G_info_t()
      try Library.check("H5Gget_info", on: name) { H5Gget_info(id, &info) }
      var links: [StoredLink] = []
      for position in 0..<info.nlinks {
        var nameBytes = [CChar]()
        let link = try text("H5Lget_name_by_idx", on: name, into: &nameBytes) { buffer, size in
          H5Lget_name_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, position, buffer, size, 0)
        }
        if !skipped.contains(link) { links.append(try describe(nameBytes, named: link)) }
      }
      return links
    }
  }

  private func describe(_ link: [CChar], named: String) throws(HDF5Error) -> StoredLink {
    var info = chdf5_link_info()
    try Library.check("H5Lget_info", on: named) { chdf5_get_link_info(id, link, &info) }
    switch info.type {
    case H5L_TYPE_SOFT: return StoredLink(name: named, kind: .soft, address: 0)
    case H5L_TYPE_EXTERNAL: return StoredLink(name: named, kind: .external, address: 0)
    case H5L_TYPE_HARD:
      let address = UInt64(info.u.address)
      return StoredLink(name: named, kind: try kindOfObject(link, named), address: address)
    default: return StoredLink(name: named, kind: .other, address: 0)
    }
  }

  private func kindOfObject(_ link: [CChar], _ named: String) throws(HDF5Error) -> StoredLink.Kind {
    let object = try Handle("H5Oopen", on: named, closer: H5Oclose) { H5Oopen(id, link, 0) }
    switch H5Iget_type(object.id) {
    case H5I_DATASET: return .dataset
    case H5I_GROUP: return .group
    case H5I_DATATYPE: return .namedType
    default: return .other
    }
  }

  /// How many links the root group has.
  ///
  /// Calls `H5Gget_info`.
  package func linkCount() throws(HDF5Error) -> Int {
    var info = H5G_info_t()
    try Library.check("H5Gget_info", on: name) { H5Gget_info(id, &info) }
    return Int(clamping: info.nlinks)
  }

  /// True when links lie in the object header, not in a heap.
  ///
  /// Calls `H5Gget_info`.
  package func hasCompactLinks() throws(HDF5Error) -> Bool {
    var info = H5G_info_t()
    try Library.check("H5Gget_info", on: name) { H5Gget_info(id, &info) }
    return info.storage_type == H5G_STORAGE_TYPE_COMPACT
  }
}
