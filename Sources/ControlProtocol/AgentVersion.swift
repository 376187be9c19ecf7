/// The version of the agent and of the tools that come with it.
package let agentVersion = "0.1.0"
