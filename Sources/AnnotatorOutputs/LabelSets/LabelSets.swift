import Relabel

/// The images of a list of labels: maps of one cell, with as many classes as the longest of them has.
///
/// Classes behind an image's own have the score that an absent class has anyway: probability 0 or logit 0.
final class LabelSets: MapDescription {
  /// What all of them share.
  struct Form: Sendable {
    let topK: Int
    let isRagged: Bool
    let isIndependent: Bool
    let kind: ScoreKind?
    let givenKind: ScoreKind?
    /// Classes to keep; nil for all.
    let keptTopK: Int?
    let hasSourceLabels: Bool
    let dialect: String
    let evidence: String
  }

  private let form: Form
  private let records: SpooledBytes
  private let offsets: SpooledBytes

  init(_ form: Form, _ records: SpooledBytes, _ offsets: SpooledBytes) {
    (self.form, self.records, self.offsets) = (form, records, offsets)
  }

  var traits: MapTraits {
    var traits = MapTraits(scoreKind: form.kind, dialect: form.dialect, evidence: form.evidence)
    if form.hasSourceLabels {
      traits.columns = Layout.optional.filter { $0.name == Layout.sourceLabel }
    }
    return traits
  }

  func load(
    _ region: ByteRegion,
    wantsDense: Bool,
    path: () -> String
  ) throws(RelabelError) -> LoadedMap {
    var set = try set(region.offset)
    let kind = form.kind ?? form.givenKind ?? .probability
    if set.scores.contains(where: \.isNaN) {
      let share = form.isIndependent ? 1 : 1 / Float(set.ids.count)
      set.scores = set.ids.map { _ in share }
    }
    if set.ids.count < form.topK {
      guard kind == .probability || (kind == .logit && !form.isIndependent) else {
        throw RelabelError(
          .invalidInput,
          "the images of the list have different numbers of labels, and what \(kind.rawValue) the others have"
            + " where a class is not listed is not known: give probabilities"
        )
      }
      let own = Set(set.ids)
      var id: UInt32 = 0
      while set.ids.count < form.topK {
        if !own.contains(id) {
          set.ids.append(id)
          set.scores.append(0)
        }
        id += 1
      }
    }
    let shape = MapShape(height: 1, width: 1, topK: form.topK)
    let map = LabelMap(shape: shape, classIndex: set.ids, score: set.scores)
    return LoadedMap(try SparseMap.keepingBest(form.keptTopK, of: map))
  }

  func facts(_ region: ByteRegion) throws(RelabelError) -> [[UInt8]] {
    guard form.hasSourceLabels else { return [] }
    let label = try set(region.offset).sourceLabel
    return [withUnsafeBytes(of: label.littleEndian, Array.init)]
  }

  /// An image as it was listed; scores are NaN where there were none.
  fileprivate func set(_ row: Int) throws(RelabelError) -> LabelSet {
    let places = try offsets.read(at: 8 * row, atMost: 16)
    let (start, end) = places.withUnsafeBytes {
      ($0.loadUnaligned(as: Int.self), $0.loadUnaligned(fromByteOffset: 8, as: Int.self))
    }
    let record = try records.read(at: start, atMost: end - start)
    return record.withUnsafeBytes { bytes in
      let count = Int(bytes.loadUnaligned(as: UInt32.self))
      var set = LabelSet()
      set.sourceLabel = bytes.loadUnaligned(fromByteOffset: 4, as: Int32.self)
      for place in 0..<count {
        set.ids.append(bytes.loadUnaligned(fromByteOffset: 8 + 8 * place, as: UInt32.self))
        set.scores.append(bytes.loadUnaligned(fromByteOffset: 12 + 8 * place, as: Float.self))
      }
      set.key = String(decoding: bytes[(8 + 8 * count)...], as: UTF8.self)
      return set
    }
  }

  static func == (a: LabelSets, b: LabelSets) -> Bool { a === b }

  func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// The keys of a list of labels.
struct LabelSetKeys: MapKeys {
  let count: Int
  let sets: LabelSets

  func key(ofRow row: Int) throws(RelabelError) -> String { try sets.set(row).key }
}
