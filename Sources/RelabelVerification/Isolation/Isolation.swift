package import HelperProcesses
package import Relabel

/// Where the HDF5 library works on files that may be broken or hostile.
public struct Isolation: Hashable, Sendable {
  /// The program to start as a helper; nil for no isolation, for debugging.
  public let helper: String?
  /// Seconds that a helper may compute, and stand still, on one file; nil for limits that follow from
  /// its size.
  public var secondsPerFile: Int?

  /// In helper processes made from the program at `helper`, which begins with
  /// `HelperEntry.runIfAsked`.
  public init(helper: String?) { self.helper = helper }

  /// In this process: a file that crashes the HDF5 library ends the verifier.
  public static let none: Isolation = Isolation(helper: nil)

  /// A helper for work on one file, or nil when there is to be none.
  package func process(fileBytes: Int64, jobs: Int) -> HelperProcess? {
    helper.map {
      var limits = HelperLimits(fileBytes: fileBytes, jobs: jobs)
      if let secondsPerFile {
        (limits.processorSeconds, limits.silence) = (secondsPerFile, secondsPerFile)
      }
      return HelperProcess(program: $0, limits: limits)
    }
  }

  /// Checks a shard where this says.
  ///
  /// A helper that died of the file becomes a finding of rule C001 behind what it had found before; one that was
  /// ended from outside is an error, for nothing is known of the file then.
  /// - Parameter request: the shard.
  /// - Returns: what was found.
  /// - Throws: `.io` when the system refuses the file or the helper.
  package func check(_ request: ShardRequest) throws(RelabelError) -> ShardOutcome {
    let bytes = try Folder.fileBytes(request.path)
    guard let process = process(fileBytes: bytes, jobs: request.jobs) else {
      return try ShardCheck(request).check()
    }
    var receiver = ShardOutcomeReceiver(fileBytes: bytes)
    let death = try process.run(VerificationHelper.shardTask, request.json) {
      message throws(RelabelError) in try receiver.receive(message)
    }
    var outcome = receiver.outcome
    if let death {
      let message = "the HDF5 library failed here: the helper process \(death)"
      outcome.tally.add(Violation(.c001, message))
      outcome.facts = nil
    }
    return outcome
  }
}

/// What a program must do to serve as its own helper.
package enum VerificationHelper {
  static let shardTask = "check-shard"
  static let keyTask = "read-keys"

  /// The tasks of this module.
  package static let tasks: [String: HelperEntry.Task] = [
    shardTask: HelperEntry.Task(checkShard),
    keyTask: HelperEntry.Task(readKeys),
  ].merging(pictureTasks) { task, _ in task }

  private static func checkShard(_ json: JSON, _ writer: MessageWriter) throws(RelabelError) {
    guard let request = ShardRequest(json) else {
      throw RelabelError(.internalFault, "this is no request")
    }
    let outcome: ShardOutcome
    do {
      outcome = try ShardCheck(request).check()
    } catch {
      return try writer.send(HelperMessage(.object(["failure": .string(error.message)])))
    }
    try outcome.send(writer)
  }
}
