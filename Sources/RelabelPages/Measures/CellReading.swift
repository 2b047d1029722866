internal import Relabel

/// What the scores of one cell say, with absent classes as pooling counts them (spec, section 13.4).
struct CellReading: Sendable {
  private enum Form: Sendable {
    case logits, sigmoids, probabilities, logarithms
  }

  private let form: Form
  /// Classes that a cell does not store.
  private let others: Float
  private let scale: Float
  private let sharesRest: Bool
  private let isExclusive: Bool

  /// Reads cells as a header says.
  init(_ header: ShardHeader) {
    isExclusive = header.classesAre == .exclusive
    form =
      switch header.scoreKind {
      case .logit: isExclusive ? .logits : .sigmoids
      case .probability: .probabilities
      case .logProbability: .logarithms
      }
    others = Float(header.numClasses - header.shape.topK)
    scale = Float(min(1 / header.temperature, Double(Float.greatestFiniteMagnitude)))
    sharesRest = header.fill == .uniform && header.numClasses > header.shape.topK
  }

  /// The entropy of a cell's own target in bits, and the probability of all classes that the cell does not store, or 0
  /// for classes that don't exclude each other.
  ///
  /// - Complexity: O(`scores`).
  func read(_ scores: UnsafeBufferPointer<Float>) -> (entropy: Float, missing: Float) {
    switch form {
    case .logits: softmax(scores)
    case .sigmoids: shares(scores) { 1 / (1 + Mathematics.exp(-$0 * scale)) }
    case .probabilities: shares(scores) { $0 }
    case .logarithms: shares(scores) { Mathematics.exp($0) }
    }
  }

  /// Absent classes have logit 0.
  private func softmax(_ scores: UnsafeBufferPointer<Float>) -> (entropy: Float, missing: Float) {
    var highest: Float = others > 0 ? 0 : -.infinity
    for score in scores { highest = max(highest, score) }
    let absent = others > 0 ? others * Mathematics.exp(-highest * scale) : 0
    var (total, moment) = (absent, absent == 0 ? 0 : absent * highest * scale)
    for score in scores {
      let distance = (highest - score) * scale
      let power = Mathematics.exp(-distance)
      total += power
      // A power of 0 has nothing to say, however far away it is.
      if power > 0 { moment += power * distance }
    }
    let entropy = Mathematics.log(total) + moment / total
    return (max(entropy * Bits.perNat, 0), absent / total)
  }

  /// Scores stand for probabilities one by one.
  @inline(__always)
  private func shares(
    _ scores: UnsafeBufferPointer<Float>,
    _ value: (Float) -> Float
  ) -> (entropy: Float, missing: Float) {
    var entropy = Entropy()
    for score in scores { entropy.add(value(score)) }
    let missing = isExclusive ? max(0, 1 - entropy.total) : 0
    if sharesRest { entropy.add(missing / others, times: others) }
    return (entropy.bits, missing)
  }
}

/// How much a nat is in bits.
enum Bits {
  static let perNat: Float = 1.442_695
}

/// The entropy of probabilities, scaled to a sum of 1.
struct Entropy {
  private(set) var total: Float = 0
  private var sum: Float = 0

  /// Adds a probability that some outcomes have each.
  @inline(__always)
  mutating func add(_ probability: Float, times count: Float = 1) {
    guard probability > 0 else { return }
    total += probability * count
    sum += probability * Mathematics.log(probability) * count
  }

  /// In bits; 0 where nothing was added.
  var bits: Float {
    total > 0 ? max((Mathematics.log(total) - sum / total) * Bits.perNat, 0) : 0
  }
}
