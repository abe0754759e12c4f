package people

import (
	"context"
	"encoding/base64"
	"errors"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/extjson"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	optionPrefix = "flin-" // begins the headers that are options, in letters of any size
	base64Suffix = "-base64"
	errorHeader  = "Nats-Service-Error"
	codeHeader   = "Nats-Service-Error-Code"
	// headerRoom is kept free in the message of a list for its headers: one may be a key.
	headerRoom = 96 << 10
)

// call is one request. What is wrong with it is kept in err, and its first fault is answered.
type call struct {
	s        *Service
	m        *nats.Msg
	endpoint *endpoint
	direct   bool // another node has handed it on
	began    time.Time

	ctx      context.Context
	deadline int64 // by wire.Clock
	name     []byte
	options  map[string]string // by name in small letters, without Flin-
	carried  []wire.Header     // headers that belong to what is put in
	err      error

	header nats.Header // of the answer
	body   []byte      // likewise
	handed bool        // it has been sent
}

// serve answers the request. name is what follows the verb, if named.
func (c *call) serve(name string, named bool) {
	c.header = nats.Header{}
	c.read(name, named)
	wait := c.wait()
	c.deadline = wire.DeadlineAfter(patience + wait)
	ctx, cancel := context.WithTimeout(c.s.ctx, patience+wait+slack)
	defer cancel()
	c.ctx = ctx
	err := c.err
	if err == nil {
		err = c.endpoint.serve(c)
	}
	if wire.CodeOf(err) == wire.Canceled {
		if err = stopping(); c.s.ctx.Err() == nil {
			err = wire.Errorf(wire.Timeout, "not executed within %v", patience+wait)
		}
	}
	if wire.CodeOf(err) == wire.NotLeader && !c.direct && c.s.handOn(c.m) {
		return
	}
	c.answer(err)
}

// read takes the request apart.
func (c *call) read(name string, named bool) {
	c.options = make(map[string]string)
	for header, values := range c.m.Header {
		lower := strings.ToLower(header)
		option, ours := strings.CutPrefix(lower, optionPrefix)
		switch {
		case ours && (option == "key" || option == "key"+base64Suffix) && c.endpoint.name != "", ours && c.allows(option):
			c.options[option] = values[len(values)-1]
		case ours:
			c.fail("the header %s is not known: %s%s has %s", header, c.s.prefix, c.endpoint.verb, c.endpoint.known())
		case c.endpoint.carries && !strings.HasPrefix(lower, "nats-"):
			for _, v := range values {
				c.carried = append(c.carried, wire.Header{Name: []byte(header), Value: []byte(v)})
			}
		}
	}
	c.decode()
	slices.SortStableFunc(c.carried, func(a, b wire.Header) int { return strings.Compare(string(a.Name), string(b.Name)) })
	inHeader := c.bytes("Key")
	switch {
	case named && inHeader != nil:
		c.fail("the name is both in the subject, %q, and in a header", name)
	case named && c.endpoint.name == "":
		c.fail("%s%s has no name behind it", c.s.prefix, c.endpoint.verb)
	case named:
		c.name = []byte(name)
	case inHeader != nil:
		c.name = inHeader
	case c.endpoint.name != "" && !c.endpoint.optional:
		c.fail("the name of the %s is missing: %s, or the header Flin-Key", c.endpoint.name, c.endpoint.subject(c.s.prefix))
	}
}

// allows reports whether the endpoint has an option.
func (c *call) allows(lower string) bool {
	lower = strings.TrimSuffix(lower, base64Suffix)
	return slices.ContainsFunc(c.endpoint.options, func(o string) bool { return strings.EqualFold(o, lower) })
}

// known lists the options.
func (e *endpoint) known() string {
	var all []string
	if e.name != "" {
		all = append(all, "Flin-Key")
	}
	for _, o := range e.options {
		all = append(all, "Flin-"+o)
	}
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// fail notes what is wrong with the request.
func (c *call) fail(format string, args ...any) {
	if c.err == nil {
		c.err = wire.Errorf(wire.Invalid, format, args...)
	}
}

// text returns an option, empty if it was not given.
func (c *call) text(option string) string { return c.options[strings.ToLower(option)] }

// decode puts the options that came in base64 beside the others, so that none is let in and then not seen.
func (c *call) decode() {
	for option, coded := range c.options {
		plain, is := strings.CutSuffix(option, base64Suffix)
		if !is {
			continue
		}
		if _, both := c.options[plain]; both {
			c.fail("there are both the headers %s and %s", textproto.CanonicalMIMEHeaderKey(optionPrefix+plain), textproto.CanonicalMIMEHeaderKey(optionPrefix+option))
		}
		p, err := base64.StdEncoding.DecodeString(coded)
		if err != nil {
			c.fail("the header %s: %v", textproto.CanonicalMIMEHeaderKey(optionPrefix+option), err)
		}
		delete(c.options, option)
		c.options[plain] = string(p)
	}
}

// given reports whether an option is there, if only an empty one.
func (c *call) given(option string) bool {
	_, ok := c.options[strings.ToLower(option)]
	return ok
}

// bytes returns an option, nil if it was not given.
func (c *call) bytes(option string) []byte {
	if !c.given(option) {
		return nil
	}
	return []byte(c.text(option))
}

// number returns an option that is a number from least to most, otherwise if it was not given.
func (c *call) number(option string, least, most, otherwise uint64) uint64 {
	if !c.given(option) {
		return otherwise
	}
	text := c.text(option) // an empty one is no number: who gives it, as a shell does of a variable that is not set, means it
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < least || n > most {
		c.fail("Flin-%s is %.64q, must be a number from %d to %d", option, text, least, most)
		return otherwise
	}
	return n
}

// wait returns how long the request may wait for something to come.
func (c *call) wait() time.Duration {
	return time.Duration(c.number("Wait", 0, uint64(c.s.cfg.MaxWait.Milliseconds()), 0)) * time.Millisecond
}

// document returns an option or a body that is a document in JSON, nil if it is empty.
func (c *call) document(what, text string) []byte {
	if extjson.First([]byte(text)) == 0 {
		return nil
	}
	doc, err := extjson.Document([]byte(text))
	if err != nil {
		c.fail("%s is no document in JSON: %v", what, err)
	}
	return doc
}

// ask asks the engine, unless something is wrong with the request.
func (c *call) ask(op wire.Op, body []byte) (wire.Response, error) {
	if c.err != nil {
		return wire.Response{}, c.err
	}
	began := time.Now()
	resp, err := engine.Do(c.ctx, c.s.cfg.Ask, wire.Request{Op: op, Tag: 1, Deadline: c.deadline, Body: body})
	if c.s.cfg.Took != nil {
		c.s.cfg.Took(op, time.Since(began), len(body))
	}
	return resp, err
}

// room returns how many bytes a list may have.
func (c *call) room() int {
	most := int(c.s.nc.MaxPayload())
	return most - min(headerRoom, most/2)
}

// give makes p the answer, if one message has room for it and for the headers that are there.
func (c *call) give(p []byte) error {
	size, most := len(p)+headerSize(c.header), int(c.s.nc.MaxPayload())
	if size > most {
		return wire.Errorf(wire.TooLarge, "an answer of %d bytes is over the limit of %d that a message on this bus has (max_payload): ask by HTTP, or with a client", size, most)
	}
	c.body = p
	return nil
}

// headerSize returns how many bytes headers take in a message.
func headerSize(h nats.Header) int {
	const frame = len("NATS/1.0\r\n\r\n")
	n := frame
	for name, values := range h {
		for _, v := range values {
			n += len(name) + len(v) + len(": \r\n")
		}
	}
	return n
}

// giveText makes a text the answer.
func (c *call) giveText(text string) error { return c.give([]byte(text)) }

// set puts a header into the answer, in base64 where NATS could not carry it.
func (c *call) set(option string, v []byte) {
	if !printable(string(v)) {
		c.header["Flin-"+option+"-Base64"] = []string{base64.StdEncoding.EncodeToString(v)}
		return
	}
	c.header["Flin-"+option] = []string{string(v)}
}

// setNumber puts a number into a header of the answer.
func (c *call) setNumber(option string, n uint64) {
	c.header["Flin-"+option] = []string{strconv.FormatUint(n, 10)}
}

// failure returns the headers that say err.
func failure(err error) nats.Header {
	return nats.Header{errorHeader: []string{oneLine(said(err))}, codeHeader: []string{strconv.Itoa(wire.CodeOf(err).HTTPStatus())}}
}

// said returns what is wrong, with the name of its code.
func said(err error) string {
	name := wire.CodeOf(err).String()
	if err.Error() == name {
		return name
	}
	return name + ": " + err.Error()
}

// answer sends what the request came to, and counts it.
func (c *call) answer(err error) {
	resp, text := &nats.Msg{Header: c.header, Data: c.body}, ""
	if err != nil {
		resp, text = &nats.Msg{Header: failure(err)}, said(err)
	}
	if c.endpoint != nil {
		c.s.figures[c.endpoint.verb].note(time.Since(c.began), wire.CodeOf(err), text)
	}
	if c.handed {
		return
	}
	if c.m.Reply == "" {
		if err != nil {
			c.s.log.Warn("a message was not executed", zap.String("subject", c.m.Subject), zap.Error(err))
		}
		return
	}
	serr := c.m.RespondMsg(resp)
	if errors.Is(serr, nats.ErrMaxPayload) { // nothing else would be heard
		resp.Header, resp.Data = failure(wire.Errorf(wire.TooLarge, "the answer is over the limit of a message on this bus (max_payload)")), nil
		serr = c.m.RespondMsg(resp)
	}
	if serr != nil && !errors.Is(serr, nats.ErrConnectionClosed) {
		c.s.log.Warn("an answer was not sent", zap.String("subject", c.m.Subject), zap.Error(serr))
	}
}

// hand sends the answer and waits until NATS knows whether somebody hears it. Unavailable: nobody does.
func (c *call) hand() error {
	inbox := c.s.nc.NewInbox()
	unheard, err := c.s.nc.SubscribeSync(inbox)
	if err != nil {
		return err
	}
	defer func() { _ = unheard.Unsubscribe() }() // without a connection there is nothing to give up
	if err := c.s.nc.PublishMsg(&nats.Msg{Subject: c.m.Reply, Reply: inbox, Header: c.header, Data: c.body}); err != nil {
		return err
	}
	c.handed = true
	// What the server has to say of the message comes before its answer to the flush.
	if err := c.s.nc.FlushWithContext(c.ctx); err != nil {
		return err
	}
	if n, _, err := unheard.Pending(); err != nil || n > 0 {
		return wire.Errorf(wire.Unavailable, "nobody waits for the answer any more")
	}
	return nil
}

// oneLine makes a text fit to be a header.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	const most = 4 << 10
	return text[:min(len(text), most)]
}
