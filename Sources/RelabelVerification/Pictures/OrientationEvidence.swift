internal import Relabel

/// What boxes say about how label maps lie on their pictures.
///
/// Two places of the grid are compared: the one that a box covers when axis y runs down the
/// picture, and the one it covers when axis y runs to the right. A cell counts by the part of it that is
/// covered, with the share of the box's class in the probability mass of the cell's entries.
struct OrientationEvidence {
  /// Boxes that were looked at.
  private(set) var boxes = 0
  /// Boxes whose two places are nearly the same.
  private(set) var coinciding = 0
  /// Images where `yx` fits better.
  private(set) var winsYX = 0
  /// Images where `xy` fits better.
  private(set) var winsXY = 0
  /// Images with informative boxes where neither fits better.
  private(set) var ties = 0
  /// Sums of the mean shares at the two places, over informative boxes.
  private(set) var share: (yx: Double, xy: Double) = (0, 0)
  /// Boxes whose two places differ.
  var informative: Int { boxes - coinciding }

  /// Places that share more than this of their union say little: on real maps, adding such boxes
  /// added as many wrong votes as right ones.
  private static let largestOverlap = 0.6
  /// An image votes when its two means differ by this.
  ///
  /// What is less is noise: with it, 18 images of real maps voted right and none wrong; without it,
  /// 21 and 3.
  private static let leastDifference = 0.02
  /// What a verdict needs: chance seldom makes such a majority...
  private static let requiredConfidence = 0.99
  /// ...and many images don't make one of a preference that has another cause.
  private static let requiredMajority = 0.6

  /// Adds one image, which has one vote however many boxes it has.
  mutating func add(
    _ map: LabelMap,
    _ kind: ScoreKind,
    _ boxes: [(place: CropBox, classIndex: Int)]
  ) {
    var (difference, informative) = (0.0, 0)
    for box in boxes {
      self.boxes += 1
      guard let place = GridPlace(box.place, in: map.extent), place.overlap < Self.largestOverlap
      else {
        coinciding += 1
        continue
      }
      let (yx, xy) = place.shares(of: UInt32(box.classIndex), map, kind)
      share = (share.yx + yx, share.xy + xy)
      difference += yx - xy
      informative += 1
    }
    if informative == 0 { return }
    let vote = difference / Double(informative)
    if vote >= Self.leastDifference {
      winsYX += 1
    } else if vote <= -Self.leastDifference {
      winsXY += 1
    } else {
      ties += 1
    }
  }

  /// How unlikely chance makes a majority like this: 1 − the two-sided p-value of the sign test.
  var confidence: Double {
    let (images, more) = (winsYX + winsXY, max(winsYX, winsXY))
    guard images > 0 else { return 0 }
    // log of the binomial probability of `more` votes, then the tail upwards from there.
    var term = -Double(images) * Mathematics.log(2)
    for count in 0..<(images - more) {
      term += Mathematics.log(Double(images - count) / Double(count + 1))
    }
    term = Mathematics.exp(term)
    var tail = 0.0
    for count in more...images {
      tail += term
      term *= Double(images - count) / Double(count + 1)
    }
    return max(0, 1 - 2 * tail)
  }

  /// The orientation that the boxes speak for, or `unknown` when they are undecided.
  var verdict: Orientation {
    let more = Double(max(winsYX, winsXY))
    guard confidence >= Self.requiredConfidence,
      more >= Self.requiredMajority * Double(winsYX + winsXY)
    else { return .unknown }
    return winsYX > winsXY ? .yx : .xy
  }
}
