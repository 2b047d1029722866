import Relabel
import Synchronization

/// What a pass in the background has found out of each image: 12 bytes an image.
final class ImageSurvey: Sendable {
  /// What is kept of all images, by position.
  struct Findings: Sendable {
    fileprivate(set) var suspicion: [Float] = []
    fileprivate(set) var entropy: [Float] = []
    fileprivate(set) var best: [UInt32] = []
  }

  private let state = Mutex<(found: Findings, failure: RelabelError?)>((Findings(), nil))
  private let count: Int

  init(count: Int) { self.count = count }

  /// Images that were measured.
  var measured: Int { state.withLock { $0.found.best.count } }
  /// Why not all of them are.
  var failure: RelabelError? { state.withLock { $0.failure } }
  /// What was found; nil until all images are measured.
  var findings: Findings? { state.withLock { $0.found.best.count == count ? $0.found : nil } }

  /// Measures all images of a dataset.
  ///
  /// - Parameters:
  ///   - source: the maps.
  ///   - jobs: threads.
  ///   - isStopped: asked again and again; true ends the pass.
  func run(_ source: any LabelMapSource, jobs: Int, isStopped: @Sendable () -> Bool) {
    do throws(RelabelError) {
      try MeasurePass(source, jobs: jobs).run { _, measures throws(RelabelError) in
        if isStopped() { throw RelabelError(.io, "the pass was stopped") }
        state.withLock { state in
          state.found.suspicion.append(measures.suspicion)
          state.found.entropy.append(measures.entropy)
          state.found.best.append(measures.best)
        }
      }
    } catch {
      state.withLock { $0.failure = error }
    }
  }
}
