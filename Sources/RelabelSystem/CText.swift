internal import Glibc

/// Texts as C has them: bytes up to a zero.
package enum CText {
  /// A copy that C may keep, until `free`; nil without memory.
  package static func copy(_ text: String) -> UnsafeMutablePointer<CChar>? { strdup(text) }

  /// Gives the memory of a copy back.
  package static func free(_ text: UnsafeMutablePointer<CChar>?) { Glibc.free(text) }

  /// The bytes before the zero.
  package static func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }
}
