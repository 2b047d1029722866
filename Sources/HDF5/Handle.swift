package import CHDF5

/// Owner of one HDF5 identifier: closes it when it goes away.
package struct Handle: ~Copyable {
  let id: hid_t
  private let closer: @convention(c) (hid_t) -> herr_t

  /// Takes ownership of the identifier that `open` returns.
  ///
  /// - Throws: the library's error when the identifier is negative.
  init(
    _ call: StaticString,
    on object: String?,
    closer: @convention(c) (hid_t) -> herr_t,
    open: () -> hid_t
  ) throws(HDF5Error) {
    id = try Library.locked { () throws(HDF5Error) -> hid_t in
      let id = open()
      if id < 0 { throw .current(call, on: object) }
      return id
    }
    self.closer = closer
  }

  deinit {
    let (id, closer) = (id, closer)
    Library.locked { _ = closer(id) }
  }

  /// Closes the identifier and reports what `deinit` would have to swallow, such as a full disk.
  consuming func close(_ call: StaticString, on object: String?) throws(HDF5Error) {
    let (id, closer) = (id, closer)
    discard self
    try Library.check(call, on: object) { closer(id) }
  }
}

/// Identifiers belong to whoever holds the object; passing one to another thread is never needed.
@available(*, unavailable)
extension Handle: Sendable {}

/// An object of an open file: the file's root group or a dataset.
package protocol Object: ~Copyable {
  /// The HDF5 identifier; valid as long as the object lives.
  var id: hid_t { get }
  /// What errors call the object.
  var name: String { get }
}
