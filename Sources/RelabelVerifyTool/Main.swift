import ArgumentParser
import RelabelCommands

/// The entry point of `relabel-verify`.
@main
enum Main {
  static func main() {
    Program.run(VerifyTool.self)
  }
}
