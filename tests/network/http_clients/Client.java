// SPDX-License-Identifier: BSL-1.0
// Client.java <mode> ...: java.net.http, as client.py.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

class Client {
    static URI uri;
    static HttpClient client;
    static Duration limit;

    static int send(String method, int size) throws Exception {
        var body = size > 0 ? BodyPublishers.ofByteArray(new byte[size]) : BodyPublishers.noBody();
        return client.send(HttpRequest.newBuilder(uri).method(method, body).timeout(limit).build(),
                           BodyHandlers.ofByteArray()).statusCode();
    }

    /** java.net.http cannot ask for the end of a connection: the older client can. */
    static int sendLast() throws Exception {
        var connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setRequestProperty("Connection", "close");
        connection.getInputStream().readAllBytes();
        return connection.getResponseCode();
    }

    public static void main(String[] args) throws Exception {
        String mode = args[0];
        uri = URI.create("http://" + args[1] + ":" + args[2] + "/");
        limit = Duration.ofSeconds(mode.equals("idle") ? 2 : 60);
        int ok = 0, failed = 0, hung = 0;
        for (int i = 0; i < Integer.parseInt(args[3]); ++i) {
            client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            try {
                boolean good;
                if (mode.equals("idle")) {
                    int size = args[4].equals("POST") ? 1 : 0;
                    if (send(args[4], size) != 200) continue;
                    double low = Double.parseDouble(args[5]), high = Double.parseDouble(args[6]);
                    Thread.sleep((long) (1000 * ThreadLocalRandom.current().nextDouble(low, high)));
                    good = send(args[4], size) == 200;
                } else if (mode.equals("upload")) {
                    good = send("POST", Integer.parseInt(args[4])) == 413;
                } else {
                    good = sendLast() == 200;
                }
                if (good) ++ok; else ++failed;
            } catch (HttpTimeoutException e) {
                ++hung;
            } catch (Exception e) {
                ++failed;
            }
        }
        System.out.println("{\"ok\":" + ok + ",\"failed\":" + failed + ",\"hung\":" + hung + "}");
        System.exit(0);
    }
}
