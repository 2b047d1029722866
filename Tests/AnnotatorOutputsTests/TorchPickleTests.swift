import AnnotatorOutputs
import Relabel
import Testing

@Suite("Pickles are read, never executed")
struct TorchPickleTests {
  private func expectRefusal(
    _ code: RelabelError.Code,
    _ message: String,
    _ pickle: [UInt8],
    location: SourceLocation = #_sourceLocation
  ) {
    var file = LegacyFile()
    file.pickle = pickle
    expectError(code, message, location: location) { _ = try load(file) }
  }

  @Test(
    "calls",
    arguments: [
      ("os", "system"), ("builtins", "eval"), ("torch", "load"),
      ("torch.storage", "_load_from_bytes"),
      ("collections", "Counter"), ("torch._utils", "_rebuild_tensor"), ("evil", "FloatStorage"),
    ]
  )
  func calls(_ module: String, _ name: String) {
    let message = "the pickle calls '\(module).\(name)'; it was not executed"
    let arguments = Op.text("(") + Op.string("touch here") + Op.text("tR")
    expectRefusal(.unsafeInput, message, Op.global(module, name) + arguments)
    let stacked = Op.string(module) + Op.string(name) + [0x93]
    expectRefusal(.unsafeInput, message, stacked + arguments)
  }

  static let objectCodes: [[UInt8]] = [
    Op.text("(ios\nsystem\n"), Op.text("(o"), Op.text(")b"), Op.text(")") + [0x81],
    [0x92], [0x82, 1], [0x83, 1, 0], [0x84, 1, 0, 0, 0],
  ]

  @Test("objects", arguments: objectCodes)
  func objects(_ code: [UInt8]) {
    expectRefusal(.unsafeInput, "makes an object of its own; it was not executed", code)
  }

  @Test func allowedNamesAreNotCalledOtherwise() {
    let message = "calls an object that is not a tensor; it was not executed"
    expectRefusal(.unsafeInput, message, Op.global("torch", "FloatStorage") + Op.text(")R"))
    let ordered = Op.global("collections", "OrderedDict")
    expectRefusal(.unsafeInput, message, ordered + Op.text("()tR"))
    expectRefusal(
      .invalidInput,
      "describes its tensor wrongly",
      Op.global("torch._utils", "_rebuild_tensor_v2") + Op.text(")R")
    )
  }

  @Test func persistentIdThatIsNoStorage() {
    expectRefusal(.invalidInput, "not a storage", Op.string("storage") + Op.text("Q"))
    expectRefusal(.invalidInput, "not a storage", Op.text("(NNNNNtQ"))
  }

  @Test(
    "malformed",
    arguments: [
      "t", "R", "Q", "(", "NN", "a", "Na", "s", "}Ns", "((tt", "]((Ne", "Nt",
    ]
  )
  func malformed(_ code: String) {
    expectRefusal(.invalidInput, "", Op.text(code))
  }

  static let memoCodes: [([UInt8], String)] = [
    (Op.text("q\u{0}"), "malformed"), (Op.text("h\u{0}"), "malformed"),
    (Op.text("Nr") + [0xFF, 0xFF, 0xFF, 0x7F], "malformed"),
    (Op.text(")q\u{0}h\u{0}"), "uses a container twice"),
  ]

  @Test("memo", arguments: memoCodes)
  func memo(_ code: [UInt8], _ message: String) {
    expectRefusal(.invalidInput, message, code)
  }

  @Test func unknownOpcode() {
    expectRefusal(.invalidInput, "opcode 48", Op.text("N0"))
    expectRefusal(.invalidInput, "protocol 1", [0x80, 1])
    expectRefusal(.invalidInput, "protocol 6", [0x80, 6])
  }

  @Test func textIsUTF8() {
    expectRefusal(.invalidInput, "not UTF-8", Op.text("X") + [1, 0, 0, 0, 0xFF])
  }

  @Test func lengthsAreChecked() {
    expectRefusal(.invalidInput, "truncated", [0x8D] + [UInt8](repeating: 0xFF, count: 8))
    expectRefusal(.invalidInput, "truncated", [0x95] + [UInt8](repeating: 0x7F, count: 8))
    expectRefusal(.invalidInput, "truncated", Op.text("T") + [0xFF, 0xFF, 0xFF, 0xFF])
    expectRefusal(.invalidInput, "truncated", Op.text("cos"))
  }

  @Test func depthAndLengthAreLimited() {
    let nested = Op.text("N") + [UInt8](repeating: 0x85, count: 3000)
    expectRefusal(.unsafeInput, "nests deeper", nested)
    let stacked = [UInt8](repeating: UInt8(ascii: "N"), count: 2000)
    expectRefusal(.unsafeInput, "stacks more values", stacked)
    let long = [UInt8](repeating: UInt8(ascii: "("), count: 2000)
    expectRefusal(.unsafeInput, "stacks more values", long)
    let frames = (0..<5000).flatMap { _ in [0x80, 2] as [UInt8] }
    expectRefusal(.unsafeInput, "longer than any tensor's", frames)
  }
}
