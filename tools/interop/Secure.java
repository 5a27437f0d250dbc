import java.util.Collection;
import java.util.HexFormat;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.server.californium.LeshanServer;
import org.eclipse.leshan.server.californium.LeshanServerBuilder;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;

/**
 * A server of Leshan's library with DTLS, for one terminal. Its demo is published up to 2.0.0-M4, whose DTLS lacks the
 * extended master secret; the library is to be had of later versions, which have it.
 *
 * <p>Arguments: port, endpoint, identity, key in hexadecimal digits. What happens is a line each on standard output; a
 * terminal that registers is read, written and observed at once.
 */
public final class Secure implements RegistrationListener, ObservationListener {

    private static final long PATIENCE = 10_000;

    private final LeshanServer server;

    public static void main(String[] args) throws Exception {
        InMemorySecurityStore store = new InMemorySecurityStore();
        store.add(SecurityInfo.newPreSharedKeyInfo(args[1], args[2], HexFormat.of().parseHex(args[3])));
        LeshanServerBuilder builder = new LeshanServerBuilder();
        builder.setLocalSecureAddress("127.0.0.1", Integer.parseInt(args[0]));
        builder.disableUnsecuredEndpoint();
        builder.setSecurityStore(store);
        new Secure(builder.build()).start();
    }

    private Secure(LeshanServer server) {
        this.server = server;
    }

    private void start() {
        server.getRegistrationService().addListener(this);
        server.getObservationService().addListener(this);
        server.start();
        say("started");
    }

    private static synchronized void say(String text) {
        System.out.println(text);
    }

    /** Leshan's own threads must not wait for answers. */
    private void manage(Registration registration) {
        try {
            say("read " + server.send(registration, new ReadRequest(3, 0), PATIENCE).getCode());
            WriteRequest write = new WriteRequest(3, 0, 14, "+01:00");
            say("written " + server.send(registration, write, PATIENCE).getCode());
            say("observed " + server.send(registration, new ObserveRequest(3, 0, 9), PATIENCE).getCode());
        } catch (InterruptedException | RuntimeException failure) {
            say("failed " + failure);
        }
    }

    @Override
    public void registered(Registration registration, Registration previous, Collection<Observation> old) {
        say("registered " + registration.getIdentity());
        new Thread(() -> manage(registration)).start();
    }

    @Override
    public void updated(RegistrationUpdate update, Registration now, Registration previous) {
        say("updated");
    }

    @Override
    public void unregistered(Registration registration, Collection<Observation> old, boolean expired, Registration now) {
        // A Register that replaces it is told by itself.
        say(now == null ? "deregistered" : "replaced");
    }

    @Override
    public void newObservation(Observation observation, Registration registration) {
    }

    @Override
    public void cancelled(Observation observation) {
    }

    @Override
    public void onResponse(SingleObservation observation, Registration registration, ObserveResponse response) {
        say("notified " + ((LwM2mResource) response.getContent()).getValue());
    }

    @Override
    public void onResponse(CompositeObservation all, Registration registration, ObserveCompositeResponse response) {
    }

    @Override
    public void onError(Observation observation, Registration registration, Exception error) {
        say("failed " + error);
    }
}
