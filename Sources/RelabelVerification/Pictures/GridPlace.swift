internal import Relabel

/// The two places that a box may have on a grid.
struct GridPlace {
  /// Fractions of the map's extent, down the picture and to the right.
  private let down: ClosedRange<Double>
  private let right: ClosedRange<Double>

  /// Nil when the map does not cover the box.
  init?(_ box: CropBox, in extent: CropBox) {
    func range(_ start: Double, _ length: Double, _ origin: Double, _ size: Double)
      -> ClosedRange<Double>?
    {
      let low = max((start - origin) / size, 0)
      let high = min((start + length - origin) / size, 1)
      return low < high ? low...high : nil
    }
    guard let down = range(box.top, box.height, extent.top, extent.height),
      let right = range(box.left, box.width, extent.left, extent.width)
    else { return nil }
    self.down = down
    self.right = right
  }

  /// Intersection over union of the two places.
  var overlap: Double {
    let side =
      min(down.upperBound, right.upperBound) - max(down.lowerBound, right.lowerBound)
    let common = max(side, 0) * max(side, 0)
    return common / (2 * length(down) * length(right) - common)
  }

  /// The mean share of a class at the two places.
  func shares(
    of classIndex: UInt32,
    _ map: LabelMap,
    _ kind: ScoreKind
  ) -> (yx: Double, xy: Double) {
    let shape = map.shape
    let (downY, rightX) = (covered(down, shape.height), covered(right, shape.width))
    let (rightY, downX) = (covered(right, shape.height), covered(down, shape.width))
    var (yx, xy) = (Mean(), Mean())
    for y in 0..<shape.height {
      for x in 0..<shape.width {
        let (weightYX, weightXY) = (downY[y] * rightX[x], rightY[y] * downX[x])
        if weightYX == 0 && weightXY == 0 { continue }
        let share = map.share(of: classIndex, inCell: y * shape.width + x, kind)
        yx.add(share, weight: weightYX)
        xy.add(share, weight: weightXY)
      }
    }
    return (yx.value, xy.value)
  }

  /// The part of each of `count` cells that a range covers.
  private func covered(_ range: ClosedRange<Double>, _ count: Int) -> [Double] {
    (0..<count).map { cell in
      let low = max(range.lowerBound * Double(count), Double(cell))
      let high = min(range.upperBound * Double(count), Double(cell + 1))
      return max(0, high - low)
    }
  }

  private func length(_ range: ClosedRange<Double>) -> Double {
    range.upperBound - range.lowerBound
  }
}

private struct Mean {
  private var sum = 0.0
  private var weight = 0.0
  var value: Double { weight > 0 ? sum / weight : 0 }

  mutating func add(_ value: Double, weight: Double) {
    sum += value * weight
    self.weight += weight
  }
}

extension LabelMap {
  /// The share of a class in the probability mass of a cell's entries, from 0 to 1.
  fileprivate func share(of wanted: UInt32, inCell cell: Int, _ kind: ScoreKind) -> Double {
    let entries = cell * shape.topK..<(cell + 1) * shape.topK
    guard let entry = entries.first(where: { classIndex[$0] == wanted }) else { return 0 }
    if kind == .probability {
      let sum = score[entries].reduce(0.0) { $0 + Double($1) }
      return sum > 0 ? Double(score[entry]) / sum : 0
    }
    // A softmax over what is stored, without overflow.
    let sum = score[entries].reduce(0.0) { $0 + Mathematics.exp(Double($1) - Double(score[entry])) }
    return 1 / sum
  }
}
