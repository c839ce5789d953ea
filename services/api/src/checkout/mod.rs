use axum::Router;

use crate::state::AppState;

pub fn routes() -> Router<AppState> {
    Router::new()
}
pub mod recovery {
    pub async fn run(_: crate::state::AppState) {
        std::future::pending::<()>().await;
    }
}
