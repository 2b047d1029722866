import Relabel
@testable import Verification

extension FuzzTarget {
  /// What a helper process sends about a shard.
  static let messages: FuzzTarget = {
    let file = ScratchFile(named: "messages")
    return FuzzTarget { bytes in
      var reader = MessageReader(file.replace(bytes), silence: 1)
      var receiver = ShardOutcomeReceiver(fileBytes: 1 << 10)
      while case .message(let message)? = try? reader.next() {
        guard (try? receiver.receive(message)) != nil else { break }
      }
      _ = receiver.outcome.tally.findings(in: "a.h5")
    }
  }()
}
