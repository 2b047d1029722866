package import Relabel

/// The crops by which all maps are measured: eight boxes as random-resized-crop draws them, the same for each image.
///
/// Areas stand for those from 8 % to 100 % of the picture in equal parts, the ratio of sides is from 3:4 to 4:3, and
/// places come from a generator with a fixed seed; so numbers of different images and datasets can be compared.
package enum CropSet {
  /// The boxes in fractions of what a map covers, smallest first.
  package static let boxes: [CropBox] = {
    var generator = SplitMix64(state: 20_210_113)
    func uniform() -> Double { Double(generator.next() >> 11) * 0x1p-53 }
    return (0..<SIMD8<UInt32>.scalarCount).map { number in
      let area = 0.08 + 0.92 * (Double(number) + 0.5) / Double(SIMD8<UInt32>.scalarCount)
      let ratio = Mathematics.exp((uniform() * 2 - 1) * Mathematics.log(4.0 / 3))
      let width = min((area * ratio).squareRoot(), 1)
      let height = min(area / width, 1)
      return CropBox(
        top: uniform() * (1 - height),
        left: uniform() * (1 - width),
        height: height,
        width: width
      )
    }
  }()

  /// The boxes in fractions of a picture of which the map covers `extent`.
  static func boxes(in extent: CropBox) -> [CropBox] {
    if extent == .whole { return boxes }
    return boxes.map {
      CropBox(
        top: extent.top + $0.top * extent.height,
        left: extent.left + $0.left * extent.width,
        height: $0.height * extent.height,
        width: $0.width * extent.width
      )
    }
  }
}
