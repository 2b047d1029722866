import Relabel

extension WrittenViews {
  /// The stored values of a view, in the order of the layout.
  ///
  /// - Throws: `.usage` for a value that is missing, not asked for, or not of its type; rules about values are checked
  ///   with the labels.
  func values(_ view: LabelView) throws(RelabelError) -> [[UInt8]] {
    var values = [try Self.bytes([view.number], as: Int32.self, Layout.view)]
    for detail in Detail.allCases {
      let value = try bytes(detail, view)
      guard details.contains(detail) else {
        if value == nil { continue }
        throw RelabelError(
          .usage,
          "the view has '\(detail.rawValue)', but the dataset does not store it: name it in 'details' of the views"
        )
      }
      guard let stored = value ?? unknown(detail) else {
        throw RelabelError(
          .usage,
          "the dataset has '\(detail.rawValue)', but this view has no value for it"
        )
      }
      values.append(stored)
    }
    return values
  }

  /// What stands for "nobody knows" and "there is nothing"; nil where every view has a value.
  private func unknown(_ detail: Detail) -> [UInt8]? {
    switch detail {
    case .box, .seed: nil
    case .flip: [0xFF]
    case .replay: [UInt8](repeating: 0xFF, count: 12)
    case .mixupShare, .cutmixShare: Layout.fillValue(.float64)
    case .mixupPartner, .cutmixPartner, .cutmixBox: [UInt8](repeating: 0xFF, count: 16)
    case .operations: [UInt8](repeating: 0, count: operationsBytes)
    }
  }

  private func bytes(_ detail: Detail, _ view: LabelView) throws(RelabelError) -> [UInt8]? {
    let name = detail.rawValue
    switch detail {
    case .box:
      guard let box = view.box else { return nil }
      return try bytes(of: box)
    case .flip: return view.isFlipped.map { [$0 ? 1 : 0] }
    case .seed: return view.seed.map { Self.bytes($0) }
    case .replay:
      guard let place = view.replay else { return nil }
      return try Self.bytes([place.epoch, place.batch, place.slot], as: Int32.self, name)
    case .mixupShare: return view.mixupShare.map(Self.share)
    case .mixupPartner: return view.mixupPartner.map(Self.bytes)
    case .cutmixShare: return view.cutmixShare.map(Self.share)
    case .cutmixBox:
      guard let box = view.cutmixBox else { return nil }
      return try Self.bytes([box.top, box.left, box.bottom, box.right], as: Int32.self, name)
    case .cutmixPartner: return view.cutmixPartner.map(Self.bytes)
    case .operations:
      guard let text = view.operations else { return nil }
      return try bytes(of: text)
    }
  }

  /// A box that comes back as the source has it.
  private func bytes(of box: LabelView.Box) throws(RelabelError) -> [UInt8] {
    let sides = [box.top, box.left, box.height, box.width]
    let isExact =
      switch boxType {
      case .float16: sides.allSatisfy { Self.isExact($0, as: Self.half) }
      case .float32: sides.allSatisfy { Self.isExact($0) { Float($0) } }
      case .float64, .pixels: true
      }
    guard isExact else {
      throw RelabelError(
        .usage,
        "the box \(sides) is not of \(boxType.rawValue) numbers: 'boxType' is what the source has"
      )
    }
    return sides.flatMap { Self.bytes($0.bitPattern) }
  }

  /// True for a number of a narrower type, and for what no type may hold, which is refused with its image.
  private static func isExact(_ side: Double, as narrowed: (Double) -> Float) -> Bool {
    Double(narrowed(side)) == side || !side.isFinite
  }

  private static func half(_ side: Double) -> Float {
    let single = Float(side)
    return Double(single) == side ? Float16Bits.widen(Float16Bits.narrow(single)) : .nan
  }

  private func bytes(of operations: String) throws(RelabelError) -> [UInt8] {
    let text = Array(operations.utf8)
    guard text.count <= operationsBytes else {
      throw RelabelError(
        .usage,
        "the operations of the view have \(text.count) bytes: say 'operationsBytes' \(text.count) or more"
      )
    }
    return text + [UInt8](repeating: 0, count: operationsBytes - text.count)
  }

  /// A share; whatever NaN is given, one of them stands for "not mixed".
  private static func share(_ share: Double) -> [UInt8] {
    share.isNaN ? Layout.fillValue(.float64) : bytes(share.bitPattern)
  }

  private static func bytes(_ partner: LabelView.Partner) -> [UInt8] {
    bytes(partner.imageIndex ?? -1) + bytes(Int64(partner.slot ?? -1))
  }

  private static func bytes<Number: FixedWidthInteger>(
    _ numbers: [Int],
    as _: Number.Type,
    _ name: String
  ) throws(RelabelError) -> [UInt8] {
    var stored: [UInt8] = []
    for number in numbers {
      guard let fitting = Number(exactly: number) else {
        throw RelabelError(
          .usage,
          "'\(name)' has \(number), more than \(Number.bitWidth) bits hold"
        )
      }
      stored += bytes(fitting)
    }
    return stored
  }

  private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }
}
