/// What a row says of its view must be (spec, section 4.10): the one place that says so, for packer, verifier and
/// recovery alike.
package enum ViewValues {
  /// What is wrong with a row's value; what was never written has another rule.
  ///
  /// - Parameters:
  ///   - bytes: the value as stored.
  ///   - name: its HDF5 dataset.
  ///   - size: of a view in pixels, where it is known.
  /// - Returns: the broken rule and why, or nil.
  static func fault(
    _ bytes: ArraySlice<UInt8>,
    of name: String,
    _ size: ViewFacts.Size?
  ) -> (rule: Rule, reason: String)? {
    switch name {
    case Layout.view:
      let number = numbers(bytes, Int32.self)[0]
      return number < 0 ? (.v024, "the number of the view is \(number)") : nil
    case Layout.viewBox:
      let sides = floats(bytes)
      if sides.allSatisfy(\.isFinite), sides[2] > 0, sides[3] > 0 { return nil }
      return (.v025, "the box is \(sides): it needs a height and a width above 0")
    case Layout.viewFlip:
      let flip = bytes[bytes.startIndex]
      return flip < 2 || flip == 255 ? nil : (.v026, "the flip is \(flip), neither 0 nor 1 nor 255")
    case Layout.replay: return faultOfReplay(numbers(bytes, Int32.self))
    case Layout.mixupLambda, Layout.cutmixLambda:
      let share = floats(bytes)[0]
      if isFill(bytes, .float64) || (0...1).contains(share) { return nil }
      return (.v027, "the share of the mix is \(share), outside 0 … 1")
    case Layout.mixupPartner, Layout.cutmixPartner:
      let partner = numbers(bytes, Int64.self)
      if partner.allSatisfy({ $0 >= -1 }) { return nil }
      return (
        .v027, "the partner is image \(partner[0]), slot \(partner[1]); −1 stands for 'not known'"
      )
    case Layout.cutmixBox: return faultOfBox(numbers(bytes, Int32.self), size)
    case Layout.operations: return faultOfOperations(bytes)
    default: return nil
    }
  }

  private static func faultOfReplay(_ triple: [Int32]) -> (rule: Rule, reason: String)? {
    if triple.allSatisfy({ $0 == -1 }) || triple.allSatisfy({ $0 >= 0 }) { return nil }
    return (
      .v028,
      "epoch, batch and slot are \(triple); they are all −1, or none of them is"
    )
  }

  private static func faultOfBox(
    _ box: [Int32],
    _ size: ViewFacts.Size?
  ) -> (rule: Rule, reason: String)? {
    if box.allSatisfy({ $0 == -1 }) { return nil }
    let (top, left, bottom, right) = (Int(box[0]), Int(box[1]), Int(box[2]), Int(box[3]))
    if 0 <= top, top <= bottom, bottom <= size?.height ?? .max, 0 <= left, left <= right,
      right <= size?.width ?? .max
    {
      return nil
    }
    let whole = size.map { " of \($0.height) × \($0.width) pixels" } ?? ""
    return (
      .v027,
      "the box from (\(top), \(left)) to (\(bottom), \(right)) is not within the view\(whole)"
    )
  }

  private static func faultOfOperations(
    _ bytes: ArraySlice<UInt8>
  ) -> (rule: Rule, reason: String)? {
    let text = Array(bytes.unpadded)
    if text.isEmpty { return nil }
    do throws(RelabelError) {
      if case .object = try JSON(parsing: text) { return nil }
      return (.v030, "the operations are not a JSON object")
    } catch {
      return (.v030, "the operations are not a JSON object: \(error.message)")
    }
  }

  private static func isFill(_ bytes: ArraySlice<UInt8>, _ type: ElementType) -> Bool {
    bytes == Layout.fillValue(type)[...]
  }

  /// Little-endian integers.
  package static func numbers<Number: FixedWidthInteger>(
    _ bytes: ArraySlice<UInt8>,
    _: Number.Type
  ) -> [Number] {
    let size = MemoryLayout<Number>.size
    return bytes.withUnsafeBytes { raw in
      (0..<raw.count / size).map {
        Number(littleEndian: raw.loadUnaligned(fromByteOffset: $0 * size, as: Number.self))
      }
    }
  }

  /// Little-endian doubles.
  package static func floats(_ bytes: ArraySlice<UInt8>) -> [Double] {
    numbers(bytes, UInt64.self).map(Double.init(bitPattern:))
  }
}
