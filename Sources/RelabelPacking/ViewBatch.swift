import AnnotatorOutputs
import Relabel

/// The batch of training that a view belongs to; all of its views lie in one shard (spec, section 4.10).
struct ViewBatch: Hashable {
  let epoch: Int32
  let number: Int32

  /// Reads it from what a view brings.
  struct Finder {
    private let place: Int

    /// - Parameter columns: those that the views bring; nil is returned where `replay` is none of them.
    init?(_ columns: [Layout.Column]) {
      guard let place = columns.firstIndex(where: { $0.name == Layout.replay }) else { return nil }
      self.place = place
    }

    /// The batch of a view, or nil where it belongs to none.
    func batch(of view: PendingImage) -> ViewBatch? {
      guard place < view.facts.count else { return nil }
      let triple = ViewValues.numbers(view.facts[place][...], Int32.self)
      return triple[0] < 0 ? nil : ViewBatch(epoch: triple[0], number: triple[1])
    }
  }
}
