private import CHDF5
internal import RelabelFormat

extension ElementType {
  /// Makes the HDF5 datatype.
  ///
  /// Calls `H5Tcopy` and the setters.
  func makeDatatype() throws(HDF5Error) -> Handle {
    try Library.locked { () throws(HDF5Error) -> Handle in

      let base: hid_t =
        switch self {
        case .uint8: chdf5_u8()
        case .uint16: chdf5_u16()
        case .uint32: chdf5_u32()
        case .uint64: chdf5_u64()
        case .int8: chdf5_i8()
        case .int16: chdf5_i16()
        case .int32: chdf5_i32()
        case .int64: chdf5_i64()
        case .float16, .float32: chdf5_f32()
        case .float64: chdf5_f64()
        case .utf8: chdf5_string()
        case .oddString(_, let what), .other(let what):
          throw HDF5Error(call: "H5Tcopy", object: nil, "this package does not write \(what)")
        }
      let type = try Handle("H5Tcopy", on: "\(self)", closer: H5Tclose) { H5Tcopy(base) }
      let id = type.id
      switch self {
      case .float16:
        // binary16; HDF5 1.10 has no predefined name for it. Fields before size: they must fit.
        try Library.check("H5Tset_fields", on: "float16") { H5Tset_fields(id, 15, 10, 5, 0, 10) }
        try Library.check("H5Tset_size", on: "float16") { H5Tset_size(id, 2) }
        try Library.check("H5Tset_ebias", on: "float16") { H5Tset_ebias(id, 15) }
      case .utf8(let bytes):
        try Library.check("H5Tset_size", on: "\(self)") { H5Tset_size(id, bytes) }
        try Library.check("H5Tset_cset", on: "\(self)") { H5Tset_cset(id, H5T_CSET_UTF8) }
        try Library.check("H5Tset_strpad", on: "\(self)") { H5Tset_strpad(id, H5T_STR_NULLPAD) }
      default: break
      }
      return type
    }
  }

  /// Names the type behind an identifier.
  ///
  /// Calls the `H5Tget` family.
  init(describing id: Int64) {
    self = Library.locked { Self.describe(id) }
  }

  private static let integers: [ElementType] = [
    .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64,
  ]

  private static func describe(_ id: hid_t) -> ElementType {
    if H5Tcommitted(id) > 0 { return .committed }
    let size = H5Tget_size(id)
    switch H5Tget_class(id) {
    case H5T_INTEGER:
      for type in Self.integers where type.matches(id) {
        return type
      }
      return .other("integer of \(size) bytes that is not little-endian or not of a known size")
    case H5T_FLOAT:
      for type in [ElementType.float16, .float32, .float64] where type.matches(id) { return type }
      return .other("float of \(size) bytes that is not little-endian IEEE")
    case H5T_STRING:
      if H5Tis_variable_str(id) != 0 { return .other("variable-length string") }
      if H5Tget_cset(id) != H5T_CSET_UTF8 {
        return .oddString(bytes: size, "fixed-length string not marked UTF-8")
      }
      if H5Tget_strpad(id) != H5T_STR_NULLPAD {
        return .oddString(bytes: size, "fixed-length string that is not null-padded")
      }
      return .utf8(bytes: size)
    case H5T_COMPOUND: return .other("compound type")
    case H5T_VLEN: return .other("variable-length type")
    case H5T_REFERENCE: return .other("reference type")
    case H5T_ENUM: return .other("enumeration")
    case H5T_ARRAY: return .other("array type")
    case H5T_OPAQUE: return .other("opaque type")
    case H5T_BITFIELD: return .other("bit field")
    default: return .other("unknown type")
    }
  }

  private func matches(_ id: hid_t) -> Bool {
    guard let mine = try? makeDatatype() else { return false }
    return H5Tequal(mine.id, id) > 0
  }
}
