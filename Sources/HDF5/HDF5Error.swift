private import CHDF5

/// A refusal of the HDF5 library, with the library's own account of it.
package struct HDF5Error: Error, Hashable, Sendable, CustomStringConvertible {
  /// One entry of the library's error stack.
  package struct Frame: Hashable, Sendable {
    /// The C function that pushed the entry.
    package let function: String
    /// What the library says went wrong.
    package let description: String
  }

  /// The C function that was called.
  package let call: String
  /// The file or object it was called on.
  package let object: String?
  /// The library's error stack, outermost first; empty when the wrapper itself refused.
  package let frames: [Frame]
  /// `errno` of the system call underneath, when the library mentions one.
  package let systemError: Int32?

  package init(call: String, object: String?, frames: [Frame]) {
    self.init(
      call: call,
      object: object,
      frames: frames,
      systemError: frames.lazy.reversed().compactMap { Self.errno(in: $0.description) }.first
    )
  }

  private init(call: String, object: String?, frames: [Frame], systemError: Int32?) {
    self.call = call
    self.object = object
    self.frames = frames
    self.systemError = systemError
  }

  /// A refusal of the system, met without the library.
  package init(call: String, object: String?, systemError: Int32, _ reason: String) {
    self.init(
      call: call,
      object: object,
      frames: [Frame(function: call, description: reason)],
      systemError: systemError
    )
  }

  /// An error found by the wrapper, for example a size over its limit.
  package init(call: String, object: String?, _ reason: String) {
    self.init(
      call: call,
      object: object,
      frames: [Frame(function: call, description: reason)]
    )
  }

  /// The error stack of the current thread as an error; clears the stack.
  ///
  /// Call at once after the failed call and under the lock: any other HDF5 call may change the
  /// stack. Calls `H5Ewalk2` and `H5Eclear2`.
  static func current(_ call: StaticString, on object: String?) -> HDF5Error {
    var frames: [Frame] = []
    withUnsafeMutablePointer(to: &frames) { frames in
      _ = H5Ewalk2(
        hid_t(H5E_DEFAULT),
        H5E_WALK_DOWNWARD,
        { _, entry, context in
          guard let entry = entry?.pointee, let context else { return 0 }
          context.assumingMemoryBound(to: [Frame].self).pointee.append(
            Frame(
              function: entry.func_name.map { String(cString: $0) } ?? "",
              description: entry.desc.map { String(cString: $0) } ?? ""
            )
          )
          return 0
        },
        frames
      )
    }
    H5Eclear2(hid_t(H5E_DEFAULT))
    return HDF5Error(call: "\(call)", object: object, frames: frames)
  }

  /// The library writes `errno = 28, error message = …` into its deepest frames.
  private static func errno(in text: String) -> Int32? {
    guard let start = text.firstRange(of: "errno = ")?.upperBound else { return nil }
    return Int32(text[start...].prefix { $0.isNumber })
  }

  /// One line: the call, the object, and the innermost reason.
  package var description: String {
    let reason = frames.last.map { "\($0.description) (in \($0.function))" } ?? "no reason given"
    return "\(call) failed\(object.map { " on '\($0)'" } ?? ""): \(reason)"
  }
}
