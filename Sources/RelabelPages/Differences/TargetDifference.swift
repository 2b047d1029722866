internal import Relabel

/// How the targets of the same crops differ.
struct TargetDifference: Counting, Sendable {
  /// Crops that were compared.
  var crops = 0
  var sumOfHalfL1 = 0.0
  var highestHalfL1 = 0.0
  var histogram = DifferenceHistogram.targets
  /// Crops for which the divergence from B to A is defined, and its sum and highest value.
  var divergences = 0
  var sumOfKL = 0.0
  var highestKL = 0.0
  /// Crops whose most probable class is another.
  var otherTop = 0
  /// Images whose maps have no part of the picture in common.
  var apart = 0

  static let counts: [(name: String, path: any WritableKeyPath<Self, Int> & Sendable)] = [
    ("crops", \.crops), ("kl_defined", \.divergences), ("other_top", \.otherTop),
    ("images_apart", \.apart),
  ]

  static func += (sum: inout Self, other: Self) {
    sum.addCounts(of: other)
    sum.sumOfHalfL1 += other.sumOfHalfL1
    sum.highestHalfL1 = max(sum.highestHalfL1, other.highestHalfL1)
    sum.histogram += other.histogram
    sum.sumOfKL += other.sumOfKL
    sum.highestKL = max(sum.highestKL, other.highestKL)
  }

  mutating func add(_ pair: TargetPair) {
    crops += 1
    sumOfHalfL1 += pair.halfL1
    highestHalfL1 = max(highestHalfL1, pair.halfL1)
    histogram.add(pair.halfL1)
    if let divergence = pair.divergence {
      divergences += 1
      sumOfKL += divergence
      highestKL = max(highestKL, divergence)
    }
    if pair.topA != pair.topB { otherTop += 1 }
  }
}

/// Two targets of one crop, compared over all classes that either dataset has.
struct TargetPair {
  private(set) var halfL1 = 0.0
  /// KL(A ‖ B); nil where a target is no distribution, or B excludes what A does not.
  private(set) var divergence: Double?
  /// The most probable classes by their numbers, absent classes included.
  let topA: UInt32
  let topB: UInt32

  /// How far the sum of a distribution may be from 1: targets are float32.
  private static let slack = 1e-3

  /// - Complexity: O(pooled classes).
  init(_ a: PooledTarget, _ b: PooledTarget, _ match: ClassMatch) {
    topA = a.best
    topB = match.number(ofB: b.best)
    var sum = Sum()
    var (listedCommon, listedA, listedB) = (0, 0, 0)
    var place = 0
    let ofB = b.entries(match)
    func add(_ id: UInt32, _ probabilityA: Float?, _ probabilityB: Float?) {
      let isInA = Int(id) < match.countA
      let isInB = match.isInB(id)
      if isInA, isInB { listedCommon += 1 } else if isInA { listedA += 1 } else { listedB += 1 }
      sum.add(
        probabilityA ?? (isInA ? a.rest : 0),
        probabilityB ?? (isInB ? b.rest : 0),
        classes: 1
      )
    }
    for (id, probability) in zip(a.classIndex, a.probability) {
      while place < ofB.count, ofB[place].id < id {
        add(ofB[place].id, nil, ofB[place].probability)
        place += 1
      }
      if place < ofB.count, ofB[place].id == id {
        add(id, probability, ofB[place].probability)
        place += 1
      } else {
        add(id, probability, nil)
      }
    }
    for entry in ofB[place...] { add(entry.id, nil, entry.probability) }
    sum.add(a.rest, b.rest, classes: match.common - listedCommon)
    sum.add(a.rest, 0, classes: match.countA - match.common - listedA)
    sum.add(0, b.rest, classes: match.countB - match.common - listedB)
    halfL1 = sum.distance / 2
    if sum.isDefined, abs(sum.a - 1) <= Self.slack, abs(sum.b - 1) <= Self.slack {
      divergence = max(0, sum.divergence)
    }
  }

  /// Sums over classes.
  private struct Sum {
    var distance = 0.0
    var divergence = 0.0
    var a = 0.0
    var b = 0.0
    var isDefined = true

    mutating func add(_ one: Float, _ other: Float, classes: Int) {
      guard classes > 0 else { return }
      let (one, other, classes) = (Double(one), Double(other), Double(classes))
      distance += classes * abs(one - other)
      a += classes * one
      b += classes * other
      guard one > 0, one != other else { return }
      if other > 0 {
        divergence += classes * one * Mathematics.log(one / other)
      } else {
        isDefined = false
      }
    }
  }
}

extension PooledTarget {
  /// The most probable class, ties by class; an absent one where all of these are more probable.
  var best: UInt32 {
    var best = (id: UInt32.max, probability: -Float.infinity)
    for (id, probability) in zip(classIndex, probability) where probability > best.probability {
      best = (id, probability)
    }
    guard classIndex.count < numClasses, rest >= best.probability else { return best.id }
    let absent = zip(classIndex, 0...).first { $0 != $1 }?.1 ?? UInt32(classIndex.count)
    return rest > best.probability ? absent : min(absent, best.id)
  }

  /// Pooled classes by the numbers of a match, ascending.
  fileprivate func entries(_ match: ClassMatch) -> [(id: UInt32, probability: Float)] {
    let entries = zip(classIndex, probability).map { (id: match.number(ofB: $0), probability: $1) }
    return match.numbers == nil ? entries : entries.sorted { $0.id < $1.id }
  }
}
