import ArgumentParser

/// `sallyport dev`: what one needs to try the gateway, and never in production.
struct DevCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev",
        abstract: "Make a trial set-up, agents and calls.",
        discussion: "Keys that these commands write lie unencrypted on disk: for trials only.",
        subcommands: [
            DevInitCommand.self, DevAgentCommand.self, DevCallCommand.self, DevProofCommand.self,
            DevUpstreamCommand.self,
        ])
}
