import Relabel
import Synchronization

/// A dataset that is browsed, and what is found out about it in the background.
final class BrowsedMaps: Sendable {
  let source: any LabelMapSource
  let header: ShardHeader
  let survey: ImageSurvey
  private let pooling: LabelPooling
  private let state = Mutex(State())

  private struct State {
    var sourceOrder: [Int32]?
    var register: ImageRegister?
    var failure: RelabelError?
    /// Positions by order, once each was asked for.
    var orders: [Selection.Order: [Int32]] = [:]
    /// The last selections, oldest first: who pages through one does not search again.
    var selections: [(Selection, ReviewMarks?, [Int32])] = []
  }

  private static let selections = 4

  /// Opens maps.
  ///
  /// - Throws: as `openLabelMaps` and `LabelPooling`.
  init(_ path: String) throws(RelabelError) {
    source = try openLabelMaps(path)
    header = try source.header
    survey = ImageSurvey(count: source.count)
    // Over all that a map covers, orientation makes no difference.
    pooling = try LabelPooling(header, profile: .relabel)
  }

  /// Positions in the order of the source; nil while it is still read.
  var sourceOrder: [Int32]? { state.withLock { $0.sourceOrder } }
  /// The list of images; nil while it is still read.
  var register: ImageRegister? { state.withLock { $0.register } }
  /// Why there is no list.
  var failure: RelabelError? { state.withLock { $0.failure } }

  /// Reads the list of images.
  func list(isStopped: () -> Bool) {
    do throws(RelabelError) {
      let order = try ImageRegister.sourceOrder(of: source)
      state.withLock { $0.sourceOrder = order }
      let register = try ImageRegister(source, isStopped: isStopped)
      state.withLock { $0.register = register }
    } catch {
      state.withLock { $0.failure = error }
    }
  }

  /// Makes the table by which maps are found by their keys.
  func prepare() {
    guard source.count > 0 else { return }
    do throws(RelabelError) {
      _ = try source.positions(forKey: try source.key(at: 0))
    } catch {
      // The first page asks again, and says what is wrong.
    }
  }

  /// The positions of a selection.
  ///
  /// - Throws: `.usage` for what is not known yet; why the list could not be read.
  func positions(
    _ selection: Selection,
    _ marks: ReviewMarks
  ) throws(RelabelError) -> [Int32] {
    // Marks count where they are asked for.
    let marks = selection.marked == nil ? nil : marks
    if let known = state.withLock({ state in
      state.selections.first { $0.0 == selection && $0.1 == marks }?.2
    }) {
      return known
    }
    if let failure { throw failure }
    guard let sourceOrder else {
      throw RelabelError(.usage, "the order of images is still being read")
    }
    if selection.isPlain { return sourceOrder }
    guard let register else {
      throw RelabelError(.usage, "the list of images is still being read: search in a moment")
    }
    let found = try selection.positions(register, survey.findings, marks ?? ReviewMarks()) {
      order throws(RelabelError) in try sorted(order, sourceOrder)
    }
    state.withLock { state in
      state.selections.append((selection, marks, found))
      if state.selections.count > Self.selections { state.selections.removeFirst() }
    }
    return found
  }

  private func sorted(
    _ order: Selection.Order,
    _ sourceOrder: [Int32]
  ) throws(RelabelError) -> [Int32] {
    if order == .source { return sourceOrder }
    if let known = state.withLock({ $0.orders[order] }) { return known }
    guard let found = survey.findings else {
      throw RelabelError(.usage, "images can be sorted by \(order.rawValue) once all are measured")
    }
    let values = order == .suspicion ? found.suspicion : found.entropy
    // Ties in the order of the source.
    var rank = [Int32](repeating: 0, count: values.count)
    for (place, position) in sourceOrder.enumerated() {
      rank[Int(position)] = Int32(place)
    }
    let positions = sourceOrder.sorted { one, other in
      let (a, b) = (values[Int(one)], values[Int(other)])
      return a == b ? rank[Int(one)] < rank[Int(other)] : a > b
    }
    state.withLock { $0.orders[order] = positions }
    return positions
  }

  /// One image as its own page shows it.
  func view(of position: Int) throws(RelabelError) -> JSON {
    try ShownImage(
      try source.key(at: position),
      source,
      at: [position],
      view: nil,
      picture: nil,
      profile: nil
    ).document
  }

  /// The most probable classes of a map as a whole.
  func top(_ count: Int, of map: LabelMap) throws(RelabelError) -> [(
    classIndex: UInt32, probability: Float
  )] {
    try pooling.target(of: map, in: map.extent).top(count)
  }
}
