private import CHDF5

/// Types of elements in files of other programs.
enum ForeignType {
  /// Why a type is not read.
  struct Fault: Error {
    let words: String
  }

  /// The element of a type in either order of bytes.
  ///
  /// Calls the `H5Tget` family.
  static func element(of id: Int64) -> Result<ForeignObject.Element, Fault> {
    let size = H5Tget_size(id)
    func refuse(_ words: String) -> Result<ForeignObject.Element, Fault> {
      .failure(Fault(words: "its elements are of \(words), which is not read"))
    }
    switch H5Tget_class(id) {
    case H5T_INTEGER:
      guard [1, 2, 4, 8].contains(size), H5Tget_precision(id) == 8 * size, H5Tget_offset(id) == 0,
        let isBig = isBigEndian(id, size)
      else { return refuse("an integer type of odd size, or a part of one") }
      let sign = H5Tget_sign(id) == H5T_SGN_NONE ? "u" : "i"
      return .success(.number("\(sign)\(size)", isBigEndian: isBig))
    case H5T_FLOAT:
      guard let isBig = isBigEndian(id, size), isIEEE(id, size) else {
        return refuse("a floating type of \(size) bytes that is not IEEE 754 of 2, 4 or 8")
      }
      return .success(.number("f\(size)", isBigEndian: isBig))
    case H5T_STRING: return .success(.text)
    case H5T_COMPOUND: return refuse("a compound type (complex numbers and tables are such)")
    case H5T_VLEN: return refuse("a variable-length type, so its maps are ragged")
    case H5T_REFERENCE: return refuse("a reference type")
    case H5T_ENUM: return refuse("an enumeration (truth values are such)")
    case H5T_ARRAY: return refuse("an array type")
    case H5T_OPAQUE: return refuse("an opaque type")
    case H5T_BITFIELD: return refuse("a bit field")
    default: return refuse("an unknown type")
    }
  }

  private static func isBigEndian(_ id: Int64, _ size: Int) -> Bool? {
    switch H5Tget_order(id) {
    case H5T_ORDER_LE: false
    case H5T_ORDER_BE: true
    case H5T_ORDER_NONE where size == 1: false
    default: nil
    }
  }

  /// True for binary16, binary32 and binary64: sign, exponent and fraction where they belong.
  private static func isIEEE(_ id: Int64, _ size: Int) -> Bool {
    let known: [Int: (exponent: Int, fraction: Int)] = [2: (5, 10), 4: (8, 23), 8: (11, 52)]
    guard let form = known[size], H5Tget_precision(id) == 8 * size, H5Tget_offset(id) == 0 else {
      return false
    }
    var (sign, place, bits, start, count) = (0, 0, 0, 0, 0)
    guard H5Tget_fields(id, &sign, &place, &bits, &start, &count) >= 0 else { return false }
    return sign == 8 * size - 1 && place == form.fraction && bits == form.exponent && start == 0
      && count == form.fraction && H5Tget_norm(id) == H5T_NORM_IMPLIED
      && H5Tget_ebias(id) == (1 << (form.exponent - 1)) - 1
  }
}
