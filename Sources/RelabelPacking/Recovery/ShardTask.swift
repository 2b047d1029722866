package import HelperProcesses
import Relabel
internal import RelabelVerification

/// A piece of work on one damaged shard, done in a helper process or in this one.
///
/// What the work finds out comes as facts, one after the other.
struct ShardTask: Sendable {
  typealias Send = (JSON) throws(RelabelError) -> Void

  private let name: String
  private let writesFiles: Bool
  private let work: @Sendable (JSON, Send) throws(RelabelError) -> Void

  /// Says of every row of a shard what can be saved.
  static let survey = ShardTask(name: "survey-shard", writesFiles: false) {
    request,
    send throws(RelabelError) in try ShardSalvage(request).run(send)
  }

  /// Writes some rows of a shard into a new one.
  static let copy = ShardTask(name: "copy-rows", writesFiles: true) {
    request,
    send throws(RelabelError) in try RowCopy(request).run(send)
  }

  /// Does the work and hands on each fact.
  ///
  /// - Parameters:
  ///   - request: what to do.
  ///   - path: the shard, whose size sets the limits of the helper.
  ///   - jobs: threads of the work.
  ///   - isolation: where the work is done.
  ///   - receive: takes a fact; the helper is not trusted.
  /// - Returns: why the work could not be done, `.corrupt` when the helper died; nil when it was.
  /// - Throws: `.io` when the file or the helper can't be used at all.
  func run(
    _ request: JSON,
    on path: String,
    jobs: Int,
    _ isolation: Isolation,
    receive: Send
  ) throws(RelabelError) -> RelabelError? {
    let bytes = try Folder.fileBytes(path)
    guard let process = isolation.process(fileBytes: bytes, jobs: jobs) else {
      do throws(RelabelError) {
        try work(request, receive)
        return nil
      } catch {
        return error
      }
    }
    var failure: RelabelError?
    let death = try process.run(name, request) { message throws(RelabelError) in
      guard message.kind == .fact else { return }
      let fact = try message.json()
      if let error = RelabelError(fact["failure"]) { failure = error } else { try receive(fact) }
    }
    return failure
      ?? death.map {
        RelabelError(.corrupt, "the HDF5 library failed here: the helper process \($0)")
      }
  }

  /// The work as a helper process does it.
  fileprivate var entry: (name: String, task: HelperEntry.Task) {
    let work = work
    let task = HelperEntry.Task(writesFiles: writesFiles) { request, writer throws(RelabelError) in
      do throws(RelabelError) {
        try work(request) { fact throws(RelabelError) in try writer.send(HelperMessage(fact)) }
      } catch {
        try writer.send(HelperMessage(.object(["failure": error.json])))
      }
    }
    return (name, task)
  }
}

/// What a program must do to serve as the helper of a recovery.
package enum RecoveryHelper {
  /// The tasks of this module.
  package static let tasks: [String: HelperEntry.Task] = Dictionary(
    uniqueKeysWithValues: [ShardTask.survey, .copy].map(\.entry)
  )
}
