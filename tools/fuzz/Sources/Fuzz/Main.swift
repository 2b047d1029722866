import Glibc

// What libFuzzer calls; the entry point of the program is its own.

/// Chooses the target that `RELABEL_FUZZ_TARGET` names.
@c(LLVMFuzzerInitialize)
public func initialize(
  _: UnsafeMutablePointer<CInt>?,
  _: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
  if target != nil { return 0 }
  fatalError("RELABEL_FUZZ_TARGET is to be one of \(FuzzTarget.all.keys.sorted())")
}

/// Runs the target on one input.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  target?.run(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

private let target: FuzzTarget? = getenv("RELABEL_FUZZ_TARGET").flatMap {
  FuzzTarget.all[String(cString: $0)]
}
