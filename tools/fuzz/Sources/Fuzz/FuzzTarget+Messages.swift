@testable import HelperProcesses
@testable import RelabelPacking
import Relabel
@testable import RelabelVerification

extension FuzzTarget {
  /// What a helper process sends about a shard, up to the report that is made of it.
  static let messages: FuzzTarget = {
    let file = ScratchFile(named: "messages")
    return FuzzTarget { bytes in
      var reader = MessageReader(file.replace(bytes), silence: 1)
      var receiver = ShardOutcomeReceiver(fileBytes: 1 << 10)
      receive(&reader) { try receiver.receive($0) }
      report(receiver.outcome)
    }
  }()

  private static let shards = ["a.h5", "b.h5"].map { ScratchFile(named: $0).path }

  private static func report(_ outcome: ShardOutcome) {
    var report = Report()
    var judgement = LabelJudgement()
    var comparison = ShardComparison()
    var tally = Tally()
    // Twice, since the shards of a dataset are summed up.
    for path in shards {
      do { try report.add(outcome, of: path) } catch { fatalError("\(path) is gone: \(error)") }
      guard let facts = outcome.facts else { continue }
      judgement.add(facts, path: path)
      comparison.add(facts, path: path, &tally)
    }
    // Throws where keys that seem to be the same ones can't be read from these empty files.
    _ = try? comparison.finish(.none, folder: "/", leftOut: [], &tally)
    report.findings += judgement.findings(about: "index.json") + tally.findings(in: "index.json")
    precondition((try? report.json().pretty()) != nil, "a report can't be written")
  }

  /// What a helper process sends about the images of a shard, and behind that about its maps.
  static let images: FuzzTarget = {
    let file = ScratchFile(named: "images")
    return FuzzTarget { bytes in
      var reader = MessageReader(file.replace(bytes), silence: 1)
      var listing = ImageListingReceiver()
      receive(&reader) { message in
        guard let batch = try listing.receive(message) else { return }
        for image in batch.keys.indices { _ = batch.digest(image) }
      }
      guard let meaning = listing.meaning else { return }
      var maps = MapListing.Receiver(meaning, maps: 2)
      receive(&reader) { _ = try maps.receive($0) }
    }
  }()

  /// Hands messages over until one is refused.
  private static func receive(
    _ reader: inout MessageReader,
    _ take: (HelperMessage) throws -> Void
  ) {
    while case .message(let message)? = try? reader.next(), (try? take(message)) != nil {}
  }

  /// What a helper process tells about the rows of a damaged shard.
  static let survey = FuzzTarget { bytes in
    guard let fact = try? JSON(parsing: bytes) else { return }
    _ = SurveyedRows(fact)
    _ = ShardFacts(fact)
  }
}
