// Package bus carries requests over NATS between those who speak with clients and engines in other processes. Serve answers
// for an engine on the bus; an Engine is one that is far away. Neither knows which engine it carries, nor what replicates it.
//
// # Subjects
//
// An engine's server subscribes, below _flin.<engine>.<group>,
//
//	lead               while its group is led here, with the queue group "lead"
//	any                always, with the queue group "any"
//	node.<id>          always
//	node.<id>.<boot>   always; boot is a number of chance that this process has made, in hexadecimal
//	node.<id>.<boot>.ping
//	node.<id>.<boot>.gone.<link>   as the reply subject of answers, so that it hears if nobody has heard them
//
// The first three are doors: an Engine sends an open message to one of them and is answered by the server behind it with a
// welcome message that names its fourth subject. From then on all goes to that one process, over a link: so messages keep
// their order, one that was lost is noticed by its number, and that nobody hears the subject any more says that the process
// has gone. The doors are hints. That a server leads no more is said by its answers (NotLeader) and by an item "moved".
//
// # Messages
//
// Numbers are as in pkg/wire (PROTOCOL.md §1). The first byte of a message is its kind:
//
//	open     1  byte version (1), u64 link, uvarint window
//	welcome  2  u64 link, byte version, byte (1: refused), then string reason; or else string node, string subject,
//	            uvarint window, uvarint requests, uvarint bytes, byte leads, string leader
//	data     3  u64 link, u64 number, u64 acked, u64 clock, items up to the end
//	ping     4  u64 link
//	pong     5  u64 link, byte (1: the link is there)
//	reset    6  u64 link, string reason: the link is over
//	close    7  u64 link: its Engine needs it no more
//	presence 8  byte version, byte flags (1: others are to tell, too, 2: the subjects are taken), uvarint milliseconds since they
//	            were, string cluster, string node
//
// A link is a number of chance that the Engine has made. Data messages of a link are numbered from 1 in each direction; a gap
// ends the link. One with number 0 has no items and only acknowledges. After the last of some messages follows one without
// items, so that it is noticed if that was lost. Acked is how many bytes of data messages have been taken of the other
// direction: at most window of them may be on their way. Clock is the sender's wire.Clock at some moment before the message
// left: deadlines in the message are milliseconds from then, and the receiver knows how much later than the fastest message of
// the link it came, so that time spent in queues counts, and clocks need not agree. Requests and bytes bound what may be
// unanswered on the link; requests that stream or wait do not count among them, nor do short ones (4 KiB) with their bytes.
//
// What is pending together is in one message. Its items are
//
//	frame  1  uvarint lane << 1 | ordered, then a frame of pkg/wire; in answers lane is 0
//	piece  2  byte flags (1 first, 2 last, 4 the rest does not follow), with 1: uvarint lane << 1 | ordered, uvarint length of
//	          the frame; bytes: a part of the frame
//	moved  3  string leader: the server leads no more; the node that does, if known
//
// A frame that is too long for a message travels in pieces, one such frame at a time in each direction, beside
// others in every message, and behind all messages that were begun before it came. One that is longer than the other side takes
// is answered TooLarge there, and one of an answer is not taken: that ends neither the link nor what else is on it. The lane names the Replier of a request among those of the Engine that have unanswered ones; ordered
// is wire.FlagOrdered. Cancel and Credit are frames of wire.OpCancel and wire.OpCredit.
//
// # Order, and what is sent again
//
// What was surely not executed is sent again, whatever it is: what was never given to NATS, what nobody has heard, what is
// answered NotLeader. So are reads. Any other request of a link that ends is OutcomeUnknown. Once a Replier has had a request with
// wire.FlagOrdered all of its requests keep their order: they are on one link at a time, what comes back waits until those
// behind it are answered, and one of them that was executed meanwhile makes it Unavailable, since it would take effect too late.
//
// # Whose group it is
//
// The group of an engine on a bus is one cluster's. Before a Server takes its subjects it asks on …who whether another cluster has
// them, and then takes none until its process starts again (admission.go). Several installations have a NATS account each.
//
// # Users
//
// On a bus with a secret each process is a user by its Role, which may use the subjects that it needs and no others (users.go,
// deploy/nats/flin.conf).
package bus
