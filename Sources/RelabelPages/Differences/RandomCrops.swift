internal import Relabel

/// Random crops of an image, the same for the same key and seed on any machine (spec/see.md).
struct RandomCrops {
  private var random: SplitMix64

  /// - Parameters:
  ///   - name: of the row.
  ///   - seed: of all rows.
  init(_ name: RowName, seed: UInt64) {
    // FNV-1a: a digest that any language has in three lines. Nothing is looked up by it.
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in (name.key + (name.view.map { "\n\($0)" } ?? "")).utf8 {
      digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3
    }
    random = SplitMix64(state: SplitMix64.base(seed: seed, epoch: digest))
  }

  /// The next crop within a part of the picture: 8 to 100 % of it, sides 3:4 to 4:3, as training crops.
  mutating func next(within extent: CropBox) -> CropBox {
    let area = 0.08 + 0.92 * fraction()
    let ratio = Mathematics.exp((2 * fraction() - 1) * Mathematics.log(4.0 / 3))
    let height = min(1, (area / ratio).squareRoot())
    let width = min(1, (area * ratio).squareRoot())
    let (top, left) = (fraction() * (1 - height), fraction() * (1 - width))
    if extent == .whole { return CropBox(top: top, left: left, height: height, width: width) }
    return CropBox(
      top: extent.top + top * extent.height,
      left: extent.left + left * extent.width,
      height: height * extent.height,
      width: width * extent.width
    )
  }

  /// A fraction from 0 to below 1, of 53 bits.
  private mutating func fraction() -> Double { Double(random.next() >> 11) * 0x1p-53 }
}

extension CropBox {
  /// What two parts of a picture have in common; nil for nothing.
  func intersection(_ other: CropBox) -> CropBox? {
    if self == other { return self }
    let (top, left) = (max(top, other.top), max(left, other.left))
    let height = min(bottom, other.bottom) - top
    let width = min(right, other.right) - left
    let box = CropBox(top: top, left: left, height: height, width: width)
    return height > 0 && width > 0 && box.fault == nil ? box : nil
  }
}
