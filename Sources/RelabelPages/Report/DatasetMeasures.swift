internal import Relabel

/// What the measures of all images come to; images are added in the order of positions.
struct DatasetMeasures: Sendable {
  private(set) var images = 0
  /// By class; empty where classes are too many to count one by one.
  private(set) var classes: [ClassCounts]
  private(set) var labels = LabelTotals()
  private(set) var crops = CropTotals()
  private(set) var constant = 0
  /// The mass that cells truly do not store, summed over the images for which that is known.
  private(set) var trueMissing = (images: 0, sum: 0.0)
  private(set) var probability = Histogram(0...1)
  private(set) var missing = Histogram(0...1)
  private(set) var entropy: Histogram
  private(set) var suspicion = Histogram(0...1)
  /// Source label and best class of images where they differ.
  private(set) var confusions = PairCounts()
  /// Best class of an image, and other best classes of its crops.
  private(set) var companions = PairCounts()
  /// How the lower half of maps differs from the upper, and the right from the left.
  private(set) var (rows, columns) = (Difference(), Difference())
  private(set) var surest = Leaders(8, isOnePerClass: true)
  private(set) var mixed = Leaders(8, isOnePerClass: true)
  private(set) var suspicious = Leaders(16, isOnePerClass: false)
  /// The digest of each map by position.
  private(set) var digests: [UInt64] = []
  /// How often the best class lies each number of ids behind the label; empty where classes are too many.
  private(set) var offsets: [Int]

  /// Images with a source label.
  struct LabelTotals: Hashable, Sendable {
    var images = 0
    var agreeing = 0
    var unseen = 0
    var foreign = 0
    var mass = 0.0
  }

  /// Crops of all images.
  struct CropTotals: Hashable, Sendable {
    var crops = 0
    var otherThanImage = 0
    var labelled = 0
    var otherThanLabel = 0
  }

  /// Nothing added so far.
  init(_ header: ShardHeader, images: Int) {
    let count = header.numClasses <= CellCounts.mostClasses ? header.numClasses : 0
    classes = [ClassCounts](repeating: ClassCounts(), count: count)
    offsets = [Int](repeating: 0, count: count)
    entropy = Histogram(0...max(Mathematics.log(Double(header.numClasses)) / Mathematics.log(2), 1))
    digests.reserveCapacity(images)
  }

  /// Adds an image.
  mutating func add(_ position: Int, _ measures: ImageMeasures) {
    images += 1
    digests.append(measures.digest)
    probability.add(Double(measures.probability))
    entropy.add(Double(measures.entropy))
    if let mass = measures.missing { missing.add(Double(mass)) }
    if let mass = measures.trueCellMissing {
      trueMissing = (trueMissing.images + 1, trueMissing.sum + Double(mass))
    }
    let suspicion = measures.suspicion
    self.suspicion.add(Double(suspicion))
    if measures.isConstant { constant += 1 }
    if let halves = measures.halves {
      rows.add(Double(halves.rows))
      columns.add(Double(halves.columns))
    }
    if !classes.isEmpty { classes[Int(measures.best)].best += 1 }
    if let label = measures.label { add(label, measures) }
    if let seen = measures.crops { add(crops: seen, measures) }
    surest.add(position, measures, by: measures.probability)
    mixed.add(position, measures, by: measures.entropy)
    suspicious.add(position, measures, by: suspicion)
  }

  private mutating func add(_ label: ImageMeasures.LabelMeasures, _ measures: ImageMeasures) {
    let agrees = label.classIndex == measures.best
    labels.images += 1
    labels.agreeing += agrees ? 1 : 0
    labels.unseen += label.isSeen ? 0 : 1
    labels.foreign += measures.isForeign == true ? 1 : 0
    labels.mass += Double(label.probability)
    if !agrees { confusions.add(label.classIndex, measures.best) }
    guard !classes.isEmpty else { return }
    let (id, best) = (Int(label.classIndex), Int(measures.best))
    classes[id].labelled += 1
    classes[id].agreeing += agrees ? 1 : 0
    classes[id].unseen += label.isSeen ? 0 : 1
    classes[id].mass += Double(label.probability)
    offsets[best >= id ? best - id : best - id + classes.count] += 1
  }

  private mutating func add(crops seen: SIMD8<UInt32>, _ measures: ImageMeasures) {
    crops.crops += seen.scalarCount
    for place in seen.indices where seen[place] != measures.best {
      crops.otherThanImage += 1
      companions.add(min(seen[place], measures.best), max(seen[place], measures.best))
    }
    guard let label = measures.label else { return }
    let others = seen.indices.count { seen[$0] != label.classIndex }
    crops.labelled += seen.scalarCount
    crops.otherThanLabel += others
    guard !classes.isEmpty else { return }
    classes[Int(label.classIndex)].crops += seen.scalarCount
    classes[Int(label.classIndex)].cropsOther += others
  }
}

/// A difference over many images: its mean, and how far that is from 0.
struct Difference: Sendable {
  private var count = 0
  private var (sum, squares) = (0.0, 0.0)

  /// Adds the difference of one image.
  mutating func add(_ value: Double) {
    count += 1
    sum += value
    squares += value * value
  }

  /// The mean, 0 of nothing.
  var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// The mean in standard errors; 0 where there are too few to say.
  var significance: Double {
    guard count > 1 else { return 0 }
    let variance = max(squares - sum * sum / Double(count), 0) / Double(count - 1)
    let error = (variance / Double(count)).squareRoot()
    return error > 0 ? mean / error : 0
  }
}
